"""What a measurement has found, as values that are kept as JSON, and where they are kept.

<root>/<key of the kept answers>/<fingerprint of the candidate>-kv<bits>/result.json, positions.npz
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from mlx_engine.errors import FacetError
from mlx_engine.measure.speed_result import FORMAT, SpeedResult
from mlx_engine.models.staging import storage_errors
from mlx_engine.protocol import CacheBits


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """How far a candidate is from the reference. KL divergences are KL(reference ‖ candidate) in nats."""

    positions: int
    chunks: int
    mean_kl: float
    mean_kl_se: float | None
    kl_error_bound: float
    """By how much the true mean may differ, since only the likeliest answers of the reference are kept."""
    median_kl: float
    p90_kl: float
    p95_kl: float
    p99_kl: float
    p999_kl: float
    max_kl: float
    perplexity: float
    perplexity_se: float | None
    reference_perplexity: float
    reference_perplexity_se: float | None
    log_perplexity_ratio: float
    """ln(perplexity / reference_perplexity)."""
    log_perplexity_ratio_se: float | None
    rms_probability_change: float
    """Root of the mean square of p_candidate - p_reference of the true token."""
    top1_agreement: float
    """Share of positions where both would choose the same token."""
    top1_agreement_se: float | None
    flips: int
    """Positions where they would not."""
    top5_overlap: float
    """Mean share of the reference's five likeliest tokens that are among the candidate's five."""


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
    kl_counts: tuple[int, ...] = ()
    """How many positions lie between each two of `kl_counts.BORDERS`."""
    worst: tuple[Divergence, ...]
    machine: str = ""
    created: str = ""
    tools: dict[str, str] = {}


def keep_fidelity(result: FidelityResult, root: Path) -> Path:
    """Write `result` below `root` and return its folder.

    Raises:
        StorageError: it cannot be written.
    """
    folder = root / "fidelity" / result.answers / f"{result.candidate_weights[:24]}-kv{result.cache_bits}"
    _write(folder / "result.json", result)
    return folder


def keep_speed(result: SpeedResult, root: Path) -> None:
    """Write `result` below `root`, in the place of an earlier one of the same model.

    Raises:
        StorageError: it cannot be written.
    """
    _write(root / "speed" / f"{result.weights[:24]}-kv{result.plan.cache_bits}.json", result)


def kept_fidelity(root: Path) -> Iterator[FidelityResult]:
    """Yield all results below `root` that can be read; those of another version, and damaged ones, are passed over."""
    for file in sorted(root.glob("fidelity/*/*/result.json")):
        if result := _read(file, FidelityResult):
            yield result


def kept_speed(root: Path) -> Iterator[SpeedResult]:
    """Yield all results below `root` that can be read, as `kept_fidelity` does."""
    for file in sorted(root.glob("speed/*.json")):
        if result := _read(file, SpeedResult):
            yield result


def _write(file: Path, result: FidelityResult | SpeedResult) -> None:
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2))
        partial.replace(file)


_Result = TypeVar("_Result", FidelityResult, SpeedResult)


def _read(file: Path, kind: type[_Result]) -> _Result | None:
    try:
        result = msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, FacetError):
        return None
    return result if result.format == FORMAT else None
