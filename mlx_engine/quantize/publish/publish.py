"""Collects the files of a conversion for the Hub, without any information about this Mac.

Uses no network; `models/hub/upload.py` sends the files.
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
"""All files that are published, except the card and `facet.json`, which are rewritten."""
_with_origins = ("config.json", "generation_config.json", "tokenizer_config.json")
"""Files in which programs record the origin of the model."""
_origin_fields = ("_name_or_path", "name_or_path")
_repository = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_local_path = re.compile(r"(?<![\w.])(?:file://|~|[A-Za-z]:)?[/\\](?:[^\n/\\:'\"<>|]+[/\\])*([^\s/\\:'\"<>|]+)")
"""A path from the root, or from a home folder. Folder names may contain spaces, so it may match too much."""
_no_derivatives = re.compile(r"cc-by(-nc)?-nd(-\d\.\d)?")


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion to publish: `note` has no information about this Mac."""

    model: ModelDescription
    note: Provenance

    @property
    def base_model(self) -> str:
        """The repository that it was converted from; "" if it was not from the Hub."""
        return self.note.source if is_repository(self.note.source) else ""


def read_conversion(folder: Path) -> Conversion:
    """Return the conversion in `folder`.

    Raises:
        NotPublishable: Facet has not converted it.
        ModelError: the model is damaged.
        StorageError: the model cannot be read.
    """
    model = describe(folder, f"{folder.parent.name}/{folder.name}")
    note = provenance.read(folder)
    if not note.recipe:
        raise NotPublishable(
            f"{folder.name} has no {provenance.FILE_NAME}. Facet publishes only models that it has converted, so that "
            "others can see their origin."
        )
    return Conversion(model, scrubbed(note))


def collect(conversion: Conversion, card: str) -> list[UploadSource]:
    """Return the files to send, with `card` as README.md.

    Raises:
        BrokenModel: the Hub does not allow the name of a file.
        StorageError: a file cannot be read.
    """
    folder = conversion.model.path
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and any(map(path.match, _names))]
    if unsafe := [path.name for path in files if not is_safe(path.name)]:
        raise BrokenModel(f"The Hub does not allow the file name {unsafe[0]!r}. Rename the file.")
    note = msgspec.json.format(msgspec.json.encode(conversion.note), indent=2) + b"\n"
    return [
        *(UploadSource(path.name, _without_origin(path) if path.name in _with_origins else path) for path in files),
        UploadSource(provenance.FILE_NAME, note),
        UploadSource("README.md", card.encode()),
    ]


def scrubbed(note: Provenance) -> Provenance:
    """Return the note with each local path reduced to its last component."""
    values = _map_strings(msgspec.to_builtins(note), without_paths)
    values["files_sha256"] = {Path(name).name: digest for name, digest in note.files_sha256.items()}
    return msgspec.convert(values, Provenance)


def without_paths(text: str) -> str:
    """Return the text with each local path reduced to its last component; web addresses are unchanged."""
    return "".join(
        part if part.startswith(("http://", "https://")) else _local_path.sub(r"\1", part)
        for part in re.split(r"(https?://\S+)", text)
    )


def is_repository(name: str) -> bool:
    return _repository.fullmatch(name) is not None


def license_of(card: str) -> str:
    """Return the license in the card's metadata; "" if there is none."""
    return next(iter(read_metadata(card).get("license", ())), "")


def license_warning(license: str, *, is_public: bool = False) -> str:
    """Return a warning about publishing a derivative of a model under `license`; "" if there is none.

    Raises:
        NotPublishable: the license forbids it.
    """
    name = license.lower()
    if _no_derivatives.fullmatch(name):
        sentence = f"The license of the base model ({license}) forbids sharing derivatives, including conversions."
        if is_public:
            raise NotPublishable(f"{sentence} Keep the repository private.")
        return f"{sentence} The repository can only be private."
    if not name or name == "unknown":
        return (
            "The license of the base model is unknown. Look it up and add it at the top of the card: without a "
            "license, derivatives must not be shared."
        )
    if "-nc" in name or "research" in name:
        return f"The license of the base model ({license}) prohibits commercial use, including that of the conversion."
    if name.startswith(("llama", "gemma")) or name == "other":
        return f"The license of the base model ({license}) has terms for derivatives. Read them before you publish."
    return ""


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {name: _map_strings(item, change) for name, item in value.items()}
        case list() | tuple():
            return [_map_strings(item, change) for item in value]
        case _:
            return value


def _without_origin(path: Path) -> Path | bytes:
    """Return the file, or its content without local origins."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return path
    if not isinstance(values, dict):
        return path
    origins = [name for name in _origin_fields if isinstance(values.get(name), str)]
    if all(is_repository(values[name]) or not values[name] for name in origins):
        return path
    rest = {name: value for name, value in values.items() if name not in origins}
    return (json.dumps(rest, indent=2, ensure_ascii=False) + "\n").encode()
