"""How the files of a source come while it is converted, and how they go."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class FileDelivery(Protocol):
    """Brings the source's files while it is converted."""

    @property
    def keeps(self) -> bool:
        """Whether files stay when they were used."""

    @property
    def here(self) -> frozenset[str]:
        """The names of those that have come."""

    @property
    def digests(self) -> Mapping[str, str]:
        """The SHA-256 of those that come, by name."""

    def wait(self) -> None:
        """Wait a moment for the next."""

    def release(self, names: Sequence[str], front: int) -> None:
        """Take note that these are needed no more, and that the first `front` of all hold nothing up."""


class AllHere:
    """What is on the disk already; `names` are those of the files."""

    keeps = True
    digests: Mapping[str, str] = {}

    def __init__(self, names: Iterable[str]) -> None:
        self.here = frozenset(names)

    def wait(self) -> None:
        """There is nothing to wait for."""

    def release(self, names: Sequence[str], front: int) -> None:
        """It all stays."""
