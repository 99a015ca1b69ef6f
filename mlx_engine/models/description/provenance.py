"""`facet.json`: how a model folder came to be, as far as Facet knows. It lies in the folder and moves with it."""

import datetime
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.versions import system, version_of

FILE_NAME = "facet.json"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model came from, and what was done to it. Fields that are not known are empty."""

    format: int = 1
    source: str = ""
    """A repository, a package or a file, with its version or revision."""
    revision: str = ""
    """The commit, where the source is a repository."""
    source_sha256: str = ""
    licence: str = ""
    recipe: str = ""
    """What was done, in a sentence."""
    settings: dict[str, Any] = {}
    """The recipe of a conversion as a value, from which it can be done again."""
    files_sha256: dict[str, str] = {}
    """Of the weight files of a conversion's source, by name."""
    bits_per_weight: float = 0.0
    """Bits of all tensors, scales included, for each parameter."""
    notes: tuple[str, ...] = ()
    """Sentences about what was lost on the way."""
    kept: tuple[str, ...] = ()
    """What stayed in floating point although the recipe would quantize it: the tensors, and why."""
    created: str = ""
    """ISO 8601, UTC."""
    tools: dict[str, str] = {}
    """Versions of the programs that did it, by name."""


def read(folder: Path) -> Provenance:
    """Return what `folder` says of itself; all fields are empty if it says nothing that can be read."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Provenance)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Provenance()


def write(folder: Path, provenance: Provenance) -> None:
    """Write `facet.json`, readable by people."""
    text = msgspec.json.format(msgspec.json.encode(provenance), indent=2)
    (folder / FILE_NAME).write_bytes(text + b"\n")


def now() -> str:
    """Return the time as `created` has it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of those packages of which they can be told."""
    return {package: version for package in packages if (version := version_of(package))}


def measured_with() -> dict[str, str]:
    """Return the versions of all that decides about what is measured."""
    return versions("facet", "mlx", "mlx-lm") | system()
