"""What a measurement has found, as values that are kept as JSON, and where they are kept.

<root>/<key of the kept answers>/<fingerprint of the candidate>-kv<bits>/result.json, positions.npz
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from mlx_engine.measure.fidelity import Fidelity
from mlx_engine.models.staging import storage_errors
from mlx_engine.protocol import CacheBits

FORMAT = 1


class Choice(msgspec.Struct, frozen=True):
    """A token that a model could say next, as text, and how probable it was."""

    text: str
    probability: float


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A position where candidate and reference are far apart, with the text before it."""

    chunk: int
    position: int
    """Of the token after which both were asked, in its chunk."""
    kind: str
    kl: float
    before: str
    true: str
    """The token that really follows."""
    reference: tuple[Choice, ...]
    candidate: tuple[Choice, ...]


class FidelityResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate loses against a reference, and how that was measured."""

    format: int = FORMAT
    candidate: str
    """For people."""
    candidate_weights: str
    """Its fingerprint."""
    cache_bits: CacheBits = 16
    """In which the candidate kept its context."""
    reference: str
    reference_weights: str
    answers: str
    """The key of the reference's kept answers."""
    corpus: str
    convention: str
    """In words."""
    fidelity: Fidelity
    by_kind: dict[str, Fidelity]
    worst: tuple[Divergence, ...]
    machine: str = ""
    created: str = ""
    tools: dict[str, str] = {}

    @property
    def folder_name(self) -> str:
        return f"{self.candidate_weights[:24]}-kv{self.cache_bits}"


def keep(result: FidelityResult, root: Path) -> Path:
    """Write `result` below `root` and return its folder.

    Raises:
        StorageError: it cannot be written.
    """
    folder = root / result.answers / result.folder_name
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / "result.json.partial"
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2))
        partial.replace(folder / "result.json")
    return folder


def kept_results(root: Path) -> Iterator[FidelityResult]:
    """Yield all results below `root` that can be read; those of another version, and damaged ones, are passed over."""
    for file in sorted(root.glob("*/*/result.json")):
        try:
            result = msgspec.json.decode(file.read_bytes(), type=FidelityResult)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
        if result.format == FORMAT:
            yield result
