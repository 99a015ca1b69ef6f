"""What of a conversion is put on the Hub, and what it says of itself there: nothing that is about this machine.

It knows no network. `models/hub/upload.py` sends what is collected here.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.errors import BrokenModel, NotPublishable
from mlx_engine.models.description import provenance
from mlx_engine.models.description.card import read_metadata
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.models.hub.files import COMPANIONS, is_safe
from mlx_engine.models.hub.upload_source import UploadSource

_names = (
    "*.safetensors",
    *COMPANIONS,
    "preprocessor_config.json",
    "LICEN[CS]E*",
    "NOTICE*",
    "USE_POLICY*",
)
"""Besides these, only the card and `facet.json` are sent, which are written anew."""
_with_names = ("config.json", "generation_config.json", "tokenizer_config.json")
"""Files in which programs note where they have found the model."""
_fields_of_names = ("_name_or_path", "name_or_path")
_repository = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_local = re.compile(r"(?<![\w.])(?:file://|~|[A-Za-z]:)?[/\\](?:[^\n/\\:'\"<>|]+[/\\])*([^\s/\\:'\"<>|]+)")
"""A path from the root, or from a home. Folders have spaces in their names: rather too much is taken for one."""
_no_derivatives = re.compile(r"cc-by(-nc)?-nd(-\d\.\d)?")


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion as it is going to be told of: `note` is free of what is about this machine."""

    model: ModelDescription
    note: Provenance

    @property
    def base_model(self) -> str:
        """The repository that it was made from; "" if that was none."""
        return self.note.source if is_repository(self.note.source) else ""


def read_conversion(folder: Path) -> Conversion:
    """Return the conversion in `folder`.

    Raises:
        NotPublishable: it is none that Facet has made.
        ModelError: it is damaged.
        StorageError: it cannot be read.
    """
    model = describe(folder, f"{folder.parent.name}/{folder.name}")
    note = provenance.read(folder)
    if not note.recipe:
        raise NotPublishable(
            f"{folder.name} was not made by Facet: it has no {provenance.FILE_NAME} that says how. Facet publishes "
            "what it has converted, so that others can see what it is."
        )
    return Conversion(model, scrubbed(note))


def collect(conversion: Conversion, card: str) -> list[UploadSource]:
    """Return what is sent, `card` as its README.md.

    Raises:
        BrokenModel: a file has a name that the Hub cannot have.
        StorageError: a file cannot be read.
    """
    folder = conversion.model.path
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and any(map(path.match, _names))]
    if unsafe := [path.name for path in found if not is_safe(path.name)]:
        raise BrokenModel(f"The file {unsafe[0]!r} has a name that the Hub cannot have. Rename it.")
    note = msgspec.json.format(msgspec.json.encode(conversion.note), indent=2) + b"\n"
    return [
        *(UploadSource(path.name, _without_names(path) if path.name in _with_names else path) for path in found),
        UploadSource(provenance.FILE_NAME, note),
        UploadSource("README.md", card.encode()),
    ]


def scrubbed(note: Provenance) -> Provenance:
    """Return the note without paths of this machine: of each, the last name is left."""
    values = _each_text(msgspec.to_builtins(note), without_paths)
    values["files_sha256"] = {Path(name).name: digest for name, digest in note.files_sha256.items()}
    return msgspec.convert(values, Provenance)


def without_paths(text: str) -> str:
    """Return the text with the last name of each path in it, addresses on the web aside."""
    return "".join(
        part if part.startswith(("http://", "https://")) else _local.sub(r"\1", part)
        for part in re.split(r"(https?://\S+)", text)
    )


def is_repository(name: str) -> bool:
    return _repository.fullmatch(name) is not None


def license_of(card: str) -> str:
    """Return the license that the card's metadata name; "" if they name none."""
    return next(iter(read_metadata(card).get("license", ())), "")


def license_warning(license: str, *, is_public: bool = False) -> str:
    """Return what to consider before a derivative of a model under `license` is published; "" if nothing.

    Raises:
        NotPublishable: the license forbids it.
    """
    name = license.lower()
    if _no_derivatives.fullmatch(name):
        sentence = f"The license of the base model ({license}) forbids to share what is made from it"
        if is_public:
            raise NotPublishable(f"{sentence}, and a conversion is that. Keep the repository private.")
        return f"{sentence}: it can only be private."
    if not name or name == "unknown":
        return (
            "The license of the base model is not known. Look it up, and write it at the top of the card: without one, "
            "nobody may share what is made of it."
        )
    if "-nc" in name or "research" in name:
        return f"The license of the base model ({license}) allows no commercial use; the same holds for the conversion."
    if name.startswith(("llama", "gemma")) or name == "other":
        return (
            f"The license of the base model ({license}) has conditions of its own for what is made from it: read them."
        )
    return ""


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {name: _each_text(one, change) for name, one in value.items()}
        case list() | tuple():
            return [_each_text(one, change) for one in value]
        case _:
            return value


def _without_names(path: Path) -> Path | bytes:
    """Return the file, or its content without the places that it names."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return path
    if not isinstance(values, dict):
        return path
    places = [name for name in _fields_of_names if isinstance(values.get(name), str)]
    if all(is_repository(values[name]) or not values[name] for name in places):
        return path
    kept = {name: value for name, value in values.items() if name not in places}
    return (json.dumps(kept, indent=2, ensure_ascii=False) + "\n").encode()
