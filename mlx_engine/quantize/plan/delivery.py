"""Delivery of a source's files while it is converted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class FileDelivery(Protocol):
    """Delivers the files of a source one by one."""

    @property
    def keeps(self) -> bool:
        """True if files are kept after use."""

    @property
    def available(self) -> frozenset[str]:
        """The names of the delivered files."""

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of the files, by name."""

    def wait(self) -> None:
        """Wait a moment for the next file."""

    def release(self, names: Sequence[str], front: int) -> None:
        """Release files that are no longer needed. Parameters that need only the first `front` files are written."""


class LocalFiles:
    """Delivery of files that are already on the disk."""

    keeps = True
    digests: Mapping[str, str] = {}

    def __init__(self, names: Iterable[str]) -> None:
        self.available = frozenset(names)

    def wait(self) -> None:
        """Do nothing: all files are available."""

    def release(self, names: Sequence[str], front: int) -> None:
        """Do nothing: all files stay."""
