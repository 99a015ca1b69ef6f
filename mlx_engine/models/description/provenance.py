"""`facet.json`: the provenance of a model. The file is part of the model folder and moves with it."""

import datetime
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.versions import system, version_of

FILE_NAME = "facet.json"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The source of a model, and the steps that produced it. Unknown fields are empty."""

    format: int = 1
    source: str = ""
    """A repository, a package or a file, with its version or revision."""
    revision: str = ""
    """The commit, where the source is a repository."""
    source_sha256: str = ""
    license: str = ""
    recipe: str = ""
    """The steps that produced the model, as a sentence."""
    settings: dict[str, Any] = {}
    """The recipe of a conversion as a value, sufficient to repeat it."""
    files_sha256: dict[str, str] = {}
    """SHA-256 of the weight files of a conversion's source, by name."""
    bits_per_weight: float = 0.0
    """Bits of all tensors, including scales, per parameter."""
    notes: tuple[str, ...] = ()
    """Sentences about information that was lost."""
    unquantized: tuple[str, ...] = ()
    """Tensors that stayed in floating point although the recipe would quantize them, and the reasons."""
    created: str = ""
    """ISO 8601, UTC."""
    tools: dict[str, str] = {}
    """Versions of the programs that produced it, by name."""


def read(folder: Path) -> Provenance:
    """Return the provenance of `folder`; all fields are empty if its file is missing or unreadable."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Provenance)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Provenance()


def write(folder: Path, provenance: Provenance) -> None:
    """Write `facet.json`, formatted for reading."""
    text = msgspec.json.format(msgspec.json.encode(provenance), indent=2)
    (folder / FILE_NAME).write_bytes(text + b"\n")


def now() -> str:
    """Return the present time in the format of `created`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of the packages, without those whose version is unknown."""
    return {package: version for package in packages if (version := version_of(package))}


def measured_with() -> dict[str, str]:
    """Return the versions of everything that affects measurements."""
    return versions("facet", "mlx", "mlx-lm") | system()
