"""The catalog: hand-picked models to start with, and the best conversion of each for a given amount of memory.

It is a file that comes with Facet, so it needs no network. It does not know which models are on this Mac.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

import resources
from mlx_engine.amounts import MEMORY_GB
from mlx_engine.models.description.size_class import SizeClass, size_class

FILE = Path(resources.__file__).parent / "catalog.json"


class Build(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conversion that is ready to run.

    `size_bytes` is the size of its weights, scales included, computed from their shapes in mlx-lm and their bits. The
    other files add a few tens of megabytes. `memory_gb` is the memory of the smallest Mac that it is recommended for.
    """

    repository: str
    quantization: str
    size_bytes: int
    memory_gb: int


class CatalogEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. `repository` and `gated` describe the original; the builds are never gated.

    `active_parameters` is the number used per token; 0 means all. The model is a good first choice for a Mac with at
    least `first_choice_gb` of memory; 0 means never.
    """

    name: str
    repository: str
    parameters: int
    context_length: int
    license: str
    purpose: str
    builds: tuple[Build, ...]
    active_parameters: int = 0
    gated: bool = False
    first_choice_gb: int = 0

    @property
    def size_class(self) -> SizeClass:
        return size_class(self.parameters)

    def build_for(self, memory_bytes: int) -> Build | None:
        """Return the best build for a Mac with this much memory; None if none fits."""
        suitable = [build for build in self.builds if build.memory_gb <= _gigabytes(memory_bytes)]
        return max(suitable, key=lambda build: build.size_bytes, default=None)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An entry and its build for one Mac; `build` is None if none fits."""

    entry: CatalogEntry
    build: Build | None
    is_first_choice: bool

    @property
    def best_build(self) -> Build:
        """The recommended build; if none fits, the smallest."""
        return self.build or min(self.entry.builds, key=lambda build: build.size_bytes)


def read(file: Path = FILE) -> tuple[CatalogEntry, ...]:
    """Return the entries, in the order of the file: from small to large.

    Raises:
        msgspec.DecodeError: the file is not a catalog.
    """
    return msgspec.json.decode(file.read_bytes(), type=tuple[CatalogEntry, ...])


def recommend(memory_bytes: int) -> tuple[Recommendation, ...]:
    """Return all entries in order of preference for a Mac with this much memory.

    The order is the first choice, then models that fit from the largest, then models that do not fit from the smallest.
    """
    entries = read()
    candidates = [entry for entry in entries if 0 < entry.first_choice_gb <= _gigabytes(memory_bytes)]
    first = max(candidates, key=lambda entry: entry.first_choice_gb, default=None)
    recommendations = [Recommendation(entry, entry.build_for(memory_bytes), entry is first) for entry in entries]
    return tuple(sorted(recommendations, key=_rank))


def _rank(item: Recommendation) -> tuple[bool, bool, int]:
    fits = item.build is not None
    return not item.is_first_choice, not fits, -item.entry.parameters if fits else item.entry.parameters


def _gigabytes(memory_bytes: int) -> int:
    # Rounded, because some systems subtract a little memory for themselves before they report the total.
    return round(memory_bytes / MEMORY_GB)
