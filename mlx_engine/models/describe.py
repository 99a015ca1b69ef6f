"""Says what a model folder holds, from `config.json` and the headers of its safetensors files alone.

It reads no weights and imports no MLX. Whether the architecture can be run is not asked here: loading tells.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.errors import BrokenModel, ModelNotFound, StorageError, UnsupportedModel
from mlx_engine.models import provenance, safetensors
from mlx_engine.models.safetensors import TensorEntry

_json_limit_bytes = 64 * 2**20
_tokenizer_files = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "*.tiktoken")
_pickle_files = ("*.bin", "*.pt", "*.pth")
_context_fields = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")
_float_names = {"BF16": "bf16", "F16": "fp16", "F32": "fp32"}


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """One model that is whole."""

    id: str
    """`<owner>/<name>`."""
    path: Path
    name: str
    """For people: "SmolLM2-135M-Instruct"."""
    architecture: str
    """`model_type` of the configuration."""
    parameters: int
    """All weights, quantized ones counted one by one; scales and biases of quantization are none."""
    bits_per_weight: float
    """The true ones: bits of all tensors, scales included, for each parameter."""
    quantization: str
    """For people: "4-bit g32", "mixed 4/8-bit g64", "mxfp4 g32", "bf16"."""
    size_bytes: int
    """Of all files in the folder."""
    context_length: int
    """In tokens; 0 if the model does not say."""
    has_chat_template: bool
    licence: str
    """"" when unknown."""
    source: str
    """"" when unknown."""


@dataclass(frozen=True, slots=True)
class BrokenDescription:
    """A folder that should be a model and cannot be used; `problem` is a sentence that says why."""

    id: str
    path: Path
    problem: str

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]


def describe(path: Path, id: str) -> ModelDescription:
    """Return what the folder `path` holds.

    Raises:
        ModelNotFound: there is no such folder.
        BrokenModel: a file is missing, cut short or contradicts another.
        UnsupportedModel: the weights are in a format that Facet does not read.
        StorageError: the folder cannot be read.
    """
    if not path.is_dir():
        raise ModelNotFound(f"There is no folder {path}.")
    try:
        return _describe(path, id)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error


def _describe(path: Path, id: str) -> ModelDescription:
    config = _read_json(path / "config.json")
    architecture = config.get("model_type")
    if not isinstance(architecture, str) or not architecture:
        raise BrokenModel("config.json does not say which kind of model this is (model_type).")
    tensors = _read_tensors(path)
    if not any(any(path.glob(pattern)) for pattern in _tokenizer_files):
        raise BrokenModel("The tokenizer is missing (tokenizer.json). Download the model again.")
    weights = list(_weights(tensors, config))
    parameters = sum(weight.parameters for weight in weights)
    if not parameters:
        raise BrokenModel("The model's files hold no weights. Download the model again.")
    note = provenance.read(path)
    return ModelDescription(
        id=id,
        path=path,
        name=id.rpartition("/")[2],
        architecture=architecture,
        parameters=parameters,
        bits_per_weight=8 * sum(tensor.size_bytes for tensor in tensors.values()) / parameters,
        quantization=_quantization_in_words(weights),
        size_bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        context_length=_context_length(config),
        has_chat_template=_has_chat_template(path),
        licence=note.licence,
        source=note.source,
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BrokenModel(f"{path.name} is missing. Download the model again.")
    if path.stat().st_size > _json_limit_bytes:
        raise BrokenModel(f"{path.name} is damaged: it is far too long.")
    try:
        # The configurations of some models hold Infinity, which is no JSON, as text.
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{path.name} is damaged: {error}.") from error


def _read_tensors(path: Path) -> dict[str, TensorEntry]:
    shards = sorted(path.glob("model*.safetensors"))
    if not shards:
        raise _no_weights(path)
    _require_all_shards(path, {shard.name for shard in shards})
    tensors: dict[str, TensorEntry] = {}
    for shard in shards:
        tensors |= safetensors.read_header(shard)
    return tensors


def _no_weights(path: Path) -> BrokenModel | UnsupportedModel:
    if any(any(path.glob(pattern)) for pattern in _pickle_files):
        return UnsupportedModel(
            "The weights are a Python pickle, which can run any program when it is opened, so Facet does not. "
            "Look for the same model as safetensors."
        )
    if any(path.glob("*.gguf")):
        return UnsupportedModel("The weights are a GGUF file, which must be imported first.")
    return BrokenModel("The folder holds no weights (model.safetensors). Download the model again.")


def _require_all_shards(path: Path, present: set[str]) -> None:
    index = path / "model.safetensors.index.json"
    if not index.exists():
        return
    places = _read_json(index).get("weight_map")
    named = {str(name) for name in places.values()} if isinstance(places, dict) else set()
    if missing := named - present:
        raise BrokenModel(f"{len(missing)} of {len(named)} weight files are missing, first {min(missing)}.")


@dataclass(frozen=True, slots=True)
class _Weight:
    """A weight matrix or vector. `precision` is "bf16" or the like, or (bits, group size, mode) if quantized."""

    parameters: int
    precision: str | tuple[int, int, str]


def _weights(tensors: Mapping[str, TensorEntry], config: Mapping[str, Any]) -> Iterator[_Weight]:
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        if f"{layer}.scales" not in tensors or part not in ("weight", "scales", "biases"):
            yield _Weight(tensor.elements, _float_names.get(tensor.dtype, tensor.dtype.lower()))
        elif part == "weight":
            yield _quantized(layer, tensor, tensors[f"{layer}.scales"], config)


def _quantized(layer: str, packed: TensorEntry, scales: TensorEntry, config: Mapping[str, Any]) -> _Weight:
    """Return a packed matrix; the settings of its own in config.json go before those for all."""
    settings = config.get("quantization") or config.get("quantization_config") or {}
    own = settings.get(layer) if isinstance(settings, dict) else None
    chosen = own if isinstance(own, dict) else settings
    bits, group, mode = _settings(chosen)
    values = packed.elements * 32 // bits
    if values != scales.elements * group:
        # Layers that are not named may differ from the rest; they have the same groups, as mlx_lm writes them.
        bits = _bits_for(packed, scales, group)
        values = scales.elements * group
    return _Weight(values, (bits, group, mode))


def _settings(chosen: object) -> tuple[int, int, str]:
    if isinstance(chosen, dict):
        bits, group, mode = chosen.get("bits"), chosen.get("group_size"), chosen.get("mode", "affine")
        if isinstance(bits, int) and 1 <= bits <= 8 and isinstance(group, int) and group > 0 and isinstance(mode, str):
            return bits, group, mode
    raise BrokenModel("The weights are quantized, but config.json does not say with how many bits in which groups.")


def _bits_for(packed: TensorEntry, scales: TensorEntry, group: int) -> int:
    values = scales.elements * group
    bits, rest = divmod(packed.elements * 32, values) if values else (0, 0)
    if rest or bits not in (2, 3, 4, 5, 6, 8):
        raise BrokenModel("The quantized weights do not have the sizes that config.json says.")
    return bits


def _quantization_in_words(weights: list[_Weight]) -> str:
    sizes: Counter[str | tuple[int, int, str]] = Counter()
    for weight in weights:
        sizes[weight.precision] += weight.parameters
    packed = [precision for precision in sizes if not isinstance(precision, str)]
    if not packed:
        return str(sizes.most_common(1)[0][0])
    groups = "g" + "/".join(map(str, sorted({group for _, group, _ in packed})))
    modes = {mode for *_, mode in packed}
    if modes != {"affine"}:
        return f"{'/'.join(sorted(modes))} {groups}"
    bits = sorted({bits for bits, *_ in packed})
    return f"{'mixed ' if len(bits) > 1 else ''}{'/'.join(map(str, bits))}-bit {groups}"


def _context_length(config: Mapping[str, Any]) -> int:
    text = config.get("text_config")
    for fields in (config, text if isinstance(text, dict) else {}):
        for name in _context_fields:
            length = fields.get(name)
            if isinstance(length, int | float) and 0 < length < math.inf:
                return int(length)
    return 0


def _has_chat_template(path: Path) -> bool:
    if (path / "chat_template.jinja").exists() or (path / "chat_template.json").exists():
        return True
    settings = path / "tokenizer_config.json"
    return settings.is_file() and bool(_read_json(settings).get("chat_template"))
