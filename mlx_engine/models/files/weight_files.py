"""The files of a folder that hold the weights of its model.

The index decides, as in transformers. Without one, they are `model.safetensors` or all shards.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files import side_files
from mlx_engine.models.files.json_file import read_json

INDEX_NAME = "model.safetensors.index.json"
_single = "model.safetensors"
_suffix = ".safetensors"
_shard = re.compile(r"model-(\d{5,})-of-(\d{5,})\.safetensors")
_variant = re.compile(r"model\.[\w-]+\.safetensors")
"""The same weights in another type, such as model.fp16.safetensors."""
_adapters = ("adapters.safetensors", "adapter_model.safetensors")
_adapter_configuration = "adapter_config.json"
_pickles = ("*.bin", "*.pt", "*.pth")


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The files of a model, sorted, and the names of other weight files in its folder."""

    files: tuple[Path, ...]
    strays: tuple[str, ...] = ()

    def describe_strays(self) -> str:
        """Return a sentence about the other weight files; "" if there are none."""
        if not self.strays:
            return ""
        others = f" and {len(self.strays) - 1} more" if len(self.strays) > 1 else ""
        return f"The folder also has {self.strays[0]}{others}, which doesn't belong to the model and isn't used."


def weight_files(folder: Path) -> WeightFiles:
    """Return the files with the weights of the model in `folder`.

    Raises:
        BrokenModel: a file is missing, or there are no weights.
        UnsupportedModel: the weights are in a format or layout that Facet does not read.
        OSError: the folder cannot be read.
    """
    present = sorted(path.name for path in folder.iterdir() if _is_weights(path))
    names = _named_by_index(folder) or _without_index(present)
    if not names:
        raise _no_weights(folder, present)
    if missing := sorted(names - {*present}):
        raise BrokenModel(
            f"{len(missing)} of {len(names)} weight files are missing, first {missing[0]}. Download the model again."
        )
    strays = tuple(name for name in present if name not in names and name not in _adapters)
    return WeightFiles(tuple(folder / name for name in sorted(names)), strays)


def absent_configuration(folder: Path) -> BrokenModel | UnsupportedModel:
    """Return the error for a folder without config.json: a download helps only if it is not something else.

    Raises:
        OSError: the folder cannot be read.
    """
    if (folder / "model_index.json").is_file():
        return UnsupportedModel("The folder contains a diffusion model, which Facet doesn't run: it runs text models.")
    names = sorted(path.name for path in folder.iterdir() if not side_files.is_system_file(path.name))
    reason = _other_contents(folder, names)
    return UnsupportedModel(reason) if reason else BrokenModel("config.json is missing. Download the model again.")


def _is_weights(path: Path) -> bool:
    return (
        path.name.endswith(_suffix)
        and not side_files.is_system_file(path.name)
        and (path.is_file() or path.is_symlink())
    )


def _named_by_index(folder: Path) -> set[str]:
    path = folder / INDEX_NAME
    if not path.is_file():
        return set()
    entries = read_json(path).get("weight_map")
    names = {str(name) for name in entries.values()} if isinstance(entries, dict) else set[str]()
    if not names:
        raise BrokenModel(f"{INDEX_NAME} names no weight files. Download the model again.")
    for name in names:
        if name != Path(name).name or not name.endswith(_suffix):
            raise BrokenModel(f"{INDEX_NAME} names a weight file that isn't in the folder: {name[:80]!r}.")
    return names


def _without_index(present: Iterable[str]) -> set[str]:
    names = set(present)
    if _single in names:
        return {_single}
    shards = {match[0]: match for name in names if (match := _shard.fullmatch(name))}
    if not shards:
        variants = sorted(name for name in names if _variant.fullmatch(name))
        if len(variants) > 1:
            raise UnsupportedModel(
                f"The folder contains several versions of the weights ({variants[0]}, {variants[1]}), and no index "
                "chooses one. Rename the right one to model.safetensors."
            )
        return {name for name in names if name.startswith("model")}
    count = max(int(match[2]) for match in shards.values())
    width = len(next(iter(shards.values()))[2])
    return {f"model-{number:0{width}}-of-{count:0{width}}.safetensors" for number in range(1, count + 1)}


def _no_weights(folder: Path, present: list[str]) -> BrokenModel | UnsupportedModel:
    if reason := _other_contents(folder, present):
        return UnsupportedModel(reason)
    if present:
        return UnsupportedModel(
            f"The weights are in {present[0]}, but Facet reads model.safetensors or the files of an index. If the file "
            "is a whole model, rename it to model.safetensors."
        )
    if any(any(folder.glob(pattern)) for pattern in _pickles):
        return UnsupportedModel(
            "The weights are a Python pickle, which can run arbitrary code when opened, so Facet doesn't open it. "
            "Look for the same model in safetensors format."
        )
    return BrokenModel("The folder contains no weights (model.safetensors). Download the model again.")


def _other_contents(folder: Path, names: Collection[str]) -> str:
    """Return the reason why files of these names are not a model that can be opened; "" if none is known."""
    if any(name in names for name in _adapters) or (folder / _adapter_configuration).is_file():
        return _adapter_reason(folder)
    if any(name.startswith("consolidated") and name.endswith(_suffix) for name in names):
        return (
            "The weights are in Mistral's own layout (consolidated.safetensors), which Facet doesn't read. Download "
            "the files config.json and model-….safetensors of the same model, or a conversion of it."
        )
    if not any(name.endswith(_suffix) for name in names) and any(_is_gguf(path) for path in folder.iterdir()):
        return "The weights are a GGUF file. Import it first."
    return ""


def _is_gguf(path: Path) -> bool:
    return path.suffix.lower() == ".gguf" and not side_files.is_system_file(path.name)


def _adapter_reason(folder: Path) -> str:
    path = folder / _adapter_configuration
    base = read_json(path).get("base_model_name_or_path") if path.is_file() else None
    of = f" for {base[:80]}" if isinstance(base, str) and base else ""
    return f"The folder contains an adapter (LoRA){of}, not a whole model. Facet doesn't apply adapters."
