"""What a model folder must hold before MLX opens it.

Reads names, JSON and the headers of safetensors files; runs no code that lies in the folder and loads no weights.
"""

import json
import re
from pathlib import Path
from typing import Any

from mlx_engine.errors import BrokenModel, ModelError, ModelNotFound, UnsupportedModel

_pickles = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_tokenizers = ("tokenizer.json", "tokenizer.model", "tiktoken.model", "*.tiktoken", "vocab.json", "vocab.txt")
_longest_header_bytes = 100_000_000  # the limit of the safetensors library itself
_context_keys = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length", "n_ctx")

UNBOUNDED_CONTEXT = 2**20
"""The context length, in tokens, of a model that names none, as recurrent ones do."""


def check_folder(path: Path) -> dict[str, Any]:
    """Return the configuration of the whole model in `path`.

    Raises:
        ModelNotFound: there is no such folder.
        BrokenModel: a file is missing, cut short or unreadable.
        UnsupportedModel: it would need code of its own, or holds its weights in another format.
    """
    if not path.is_dir():
        raise ModelNotFound(f"There is no model folder at {path}. It may have been moved or deleted.")
    if not any(path.iterdir()):
        raise BrokenModel(f"The folder {path} is empty. Download or import the model again.")
    config = _read_config(path)
    _check_weights(path)
    if not any(next(path.glob(pattern), None) for pattern in _tokenizers):
        raise BrokenModel(f"{path.name} has no tokenizer (tokenizer.json or tokenizer.model). Download it again.")
    return config


def context_length(config: dict[str, Any]) -> int:
    """Return the number of tokens that the model can read at once, as far as the configuration says."""
    text_config = config.get("text_config")
    sources = [config, text_config] if isinstance(text_config, dict) else [config]
    values = [source.get(key) for source in sources for key in _context_keys]
    return next((value for value in values if isinstance(value, int) and value > 0), UNBOUNDED_CONTEXT)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((path / "config.json").read_bytes())
    except FileNotFoundError as error:
        raise BrokenModel(f"{path.name} has no config.json. Download the model again.") from error
    except (ValueError, RecursionError) as error:
        raise BrokenModel(f"The config.json of {path.name} is not JSON: {error}. Download it again.") from error
    except OSError as error:
        raise BrokenModel(f"The config.json of {path.name} cannot be read: {error.strerror}.") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        raise BrokenModel(f"The config.json of {path.name} does not say which architecture this is (model_type).")
    if "model_file" in config:
        raise UnsupportedModel(
            f"{path.name} brings Python code of its own ({config['model_file']}) to build the model. "
            "Facet never runs code from a model's folder."
        )
    if not re.fullmatch(r"[\w-]{1,64}", kind):
        raise UnsupportedModel(f"The architecture {kind[:64]!r} of {path.name} is not known.")
    return config


def _check_weights(path: Path) -> None:
    shards = sorted(path.glob("model*.safetensors"))
    _check_index(path, {shard.name for shard in shards})
    if not shards:
        raise _no_weights(path)
    for shard in shards:
        _check_shard(shard)


def _check_index(path: Path, present: set[str]) -> None:
    index = path / "model.safetensors.index.json"
    if not index.exists():
        return
    try:
        listed = set(json.loads(index.read_bytes())["weight_map"].values())
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise BrokenModel(f"The list of weight files of {path.name}, {index.name}, cannot be read.") from error
    if missing := sorted(str(name) for name in listed - present):
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise BrokenModel(f"{path.name} lacks the weight file {missing[0]}{others}. Download the model again.")


def _no_weights(path: Path) -> ModelError:
    if pickle := next((found for pattern in _pickles for found in sorted(path.glob(pattern))), None):
        return UnsupportedModel(
            f"{path.name} keeps its weights in a Python pickle ({pickle.name}), which can run any code when it is "
            "opened. Facet opens safetensors only: look for a version of the model in that format."
        )
    return BrokenModel(f"{path.name} has no weights (model*.safetensors). Download the model again.")


def _check_shard(shard: Path) -> None:
    """Compare the size of the file with what its header promises."""
    name = f"{shard.parent.name}/{shard.name}"
    try:
        with shard.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(header_bytes, _longest_header_bytes)))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        expected, actual = 8 + header_bytes + max(ends, default=0), shard.stat().st_size
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise BrokenModel(f"{name} is no readable safetensors file. Download the model again.") from error
    if actual < expected:
        raise BrokenModel(f"{name} is cut short: it has {actual:,} of {expected:,} bytes. Download the model again.")
