"""What a measurement has found, as values that are kept as JSON, and where they are kept.

<root>/fidelity/<key of the kept answers>/<fingerprint of the candidate>-kv<bits>/
    positions.npz, tokens.json, and last result.json
<root>/speed/<fingerprint of the model>-kv<bits>.json
<root>/fingerprints.json
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.speed_result import FORMAT, SpeedResult
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import storage_errors, write_whole
from mlx_engine.protocol import CacheBits

PASTED_TEXT = "pasted text"
"""Name of the corpus that the user pasted in."""


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """How far a candidate is from the reference. KL divergences are KL(reference ‖ candidate) in nats."""

    positions: int
    chunks: int
    mean_kl: float
    mean_kl_se: float | None
    kl_error_bound: float
    """By how much the mean over the whole vocabulary may differ, since only the likeliest answers of the reference and
    a sample of the others are kept, in 16 bits."""
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


class TopToken(msgspec.Struct, frozen=True):
    """A token that a model could say next, as text, and how probable it was."""

    text: str
    probability: float
    is_true: bool = False
    """Whether it is the token that really follows."""


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
    reference: tuple[TopToken, ...]
    candidate: tuple[TopToken, ...]


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
    is_stand_in: bool = False
    """Whether 8-bit weights answered in the place of an original too large for the machine. What they lose themselves
    is missing then: take the divergence as a lower bound."""
    reference_key: str
    """The key of the reference's kept answers."""
    corpus: str
    private: bool = False
    """Whether nothing of the texts may stand in a report."""
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


def save_fidelity(result: FidelityResult, root: Path) -> Path:
    """Write `result` below `root` and return its folder.

    Raises:
        StorageError: it cannot be written.
    """
    folder = fidelity_folder(result, root)
    _write(folder / "result.json", result)
    return folder


def fidelity_folder(result: FidelityResult, root: Path) -> Path:
    """Return where `result` is kept below `root`, with what was found token by token."""
    return _fidelity_folder(root, result.reference_key, result.candidate_weights, result.cache_bits)


def find_fidelity(root: Path, answers: str, weights: str, cache_bits: CacheBits) -> FidelityResult | None:
    """Return what is kept below `root` of the model with the fingerprint `weights`, held against those answers."""
    result = _read(_fidelity_folder(root, answers, weights, cache_bits) / "result.json", FidelityResult)
    is_it = result and (result.reference_key, result.candidate_weights, result.cache_bits) == (
        answers,
        weights,
        cache_bits,
    )
    return result if is_it else None


def _fidelity_folder(root: Path, answers: str, weights: str, cache_bits: CacheBits) -> Path:
    return root / "fidelity" / answers / f"{weights[:24]}-kv{cache_bits}"


def fingerprints(root: Path) -> Fingerprints:
    """Return the fingerprints that are remembered below `root`."""
    return Fingerprints(root / "fingerprints.json")


def fidelity_of(model: Path, root: Path) -> tuple[FidelityResult, ...]:
    """Return what is kept below `root` of the model in the folder `model`, the latest first.

    No weights are read: a folder that has changed since it was measured has no results. What was measured on a text
    that somebody typed in is left out.
    """
    if not (weights := fingerprints(root).remembered(model)):
        return ()
    files = root.glob(f"fidelity/*/{weights[:24]}-kv*/result.json")
    found = [result for file in files if (result := _read(file, FidelityResult)) and result.corpus != PASTED_TEXT]
    return tuple(sorted(found, key=lambda result: result.created, reverse=True))


def speed_of(model: Path, root: Path) -> SpeedResult | None:
    """Return the speed of the model in the folder `model` with its context in 16 bits, as `results_of` does."""
    weights = fingerprints(root).remembered(model)
    return _read(root / "speed" / f"{weights[:24]}-kv16.json", SpeedResult) if weights else None


def save_speed(result: SpeedResult, root: Path) -> None:
    """Write `result` below `root`, in the place of an earlier one of the same model.

    Raises:
        StorageError: it cannot be written.
    """
    _write(root / "speed" / f"{result.weights[:24]}-kv{result.plan.cache_bits}.json", result)


def all_fidelity(root: Path) -> Iterator[FidelityResult]:
    """Yield all results below `root` that can be read; those of another version, and damaged ones, are passed over."""
    for file in sorted(root.glob("fidelity/*/*/result.json")):
        if result := _read(file, FidelityResult):
            yield result


def all_speeds(root: Path) -> Iterator[SpeedResult]:
    """Yield all results below `root` that can be read, as `kept_fidelity` does."""
    for file in sorted(root.glob("speed/*.json")):
        if result := _read(file, SpeedResult):
            yield result


def _write(file: Path, result: FidelityResult | SpeedResult) -> None:
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(result), indent=2))


_Result = TypeVar("_Result", FidelityResult, SpeedResult)


def _read(file: Path, kind: type[_Result]) -> _Result | None:
    result = read_value(file, kind)
    return result if result and result.format == FORMAT else None
