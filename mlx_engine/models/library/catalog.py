"""The catalogue: models to begin with, chosen by hand, and which conversion of each suits how much memory.

It is a file of Facet's own and needs no network. It knows no model that is on this machine.
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

    `size_bytes` is that of its weights, reckoned from the shapes of the network as mlx-lm lays them out and the bits of
    each, scales included. The other files add a few tens of megabytes.

    `memory_gb` is the memory of the smallest Mac that it is recommended for.
    """

    repository: str
    quantization: str
    size_bytes: int
    memory_gb: int


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model. `repository` and `gated` are those of the original; the builds are free to download.

    `active_parameters` is what works on one token, if not all. A Mac with `first_choice_gb` of memory and more may
    begin with this model; 0 means that others are better to begin with.
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
        """Return the best build for a machine with so much memory; None if none suits it."""
        suitable = [build for build in self.builds if build.memory_gb <= _gigabytes(memory_bytes)]
        return max(suitable, key=lambda build: build.size_bytes, default=None)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What an entry has for one machine: `build` is None if it is too large for it."""

    entry: Entry
    build: Build | None
    is_first_choice: bool

    @property
    def shown_build(self) -> Build:
        """The recommended build, or the smallest there is."""
        return self.build or min(self.entry.builds, key=lambda build: build.size_bytes)


def read(file: Path = FILE) -> tuple[Entry, ...]:
    """Return the entries, in the order of the file: from small to large.

    Raises:
        msgspec.DecodeError: the file is not a catalogue.
    """
    return msgspec.json.decode(file.read_bytes(), type=tuple[Entry, ...])


def recommend(memory_bytes: int) -> tuple[Recommendation, ...]:
    """Return what the catalogue has for a machine with so much memory: the first choice, then what suits from the
    largest on, then what does not suit.
    """
    entries = read()
    candidates = [entry for entry in entries if 0 < entry.first_choice_gb <= _gigabytes(memory_bytes)]
    first = max(candidates, key=lambda entry: entry.first_choice_gb, default=None)
    found = [Recommendation(entry, entry.build_for(memory_bytes), entry is first) for entry in entries]
    return tuple(sorted(found, key=_place))


def _place(one: Recommendation) -> tuple[bool, bool, int]:
    suits = one.build is not None
    return not one.is_first_choice, not suits, -one.entry.parameters if suits else one.entry.parameters


def _gigabytes(memory_bytes: int) -> int:
    # Rounded, because systems keep a little of the memory to themselves before they tell how much there is.
    return round(memory_bytes / MEMORY_GB)
