"""Results of measurements, stored as JSON.

<root>/fidelity/<key of the reference>/<fingerprint of the candidate>-kv<bits>/
    positions.npz, tokens.json, and result.json, which is written last
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
    """Distance of a candidate from the reference. KL divergences are KL(reference ‖ candidate) in nats."""

    positions: int
    chunks: int
    mean_kl: float
    mean_kl_se: float | None
    kl_error_bound: float
    """Maximum error of `mean_kl`, since only the reference's most likely tokens and a sample of the rest are stored, in
    16 bits."""
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
    """Root mean square of p_candidate - p_reference for the true token."""
    top1_agreement: float
    """Share of positions where both have the same most likely token."""
    top1_agreement_se: float | None
    flips: int
    """Positions where they differ."""
    top5_overlap: float
    """Mean share of the reference's five most likely tokens that are among the candidate's five."""


class TopToken(msgspec.Struct, frozen=True):
    """One of the most likely next tokens, as text, with its probability."""

    text: str
    probability: float
    is_true: bool = False
    """Whether it is the token that follows in the text."""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """A position with a large divergence, with the text before it."""

    chunk: int
    position: int
    """Index in the chunk of the last token that both models have read."""
    kind: str
    kl: float
    before: str
    true: str
    """The token that follows in the text."""
    reference: tuple[TopToken, ...]
    candidate: tuple[TopToken, ...]


class FidelityResult(msgspec.Struct, frozen=True, kw_only=True):
    """The fidelity of a candidate to a reference, and how it was measured."""

    format: int = FORMAT
    candidate: str
    """Display name."""
    candidate_weights: str
    """Fingerprint of its files."""
    cache_bits: CacheBits = 16
    """Precision of the candidate's KV cache."""
    reference: str
    reference_weights: str
    is_stand_in: bool = False
    """Whether the reference is an 8-bit conversion of an original too large for this Mac. Its own loss is not included,
    so divergences are lower bounds."""
    reference_key: str
    """`ReferenceHeader.key`."""
    corpus: str
    private: bool = False
    """Whether reports must not quote the texts."""
    convention: str
    """`Convention.text`."""
    fidelity: Fidelity
    by_kind: dict[str, Fidelity]
    kl_counts: tuple[int, ...] = ()
    """Number of positions in each bin of `kl_histogram`."""
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
    """Return the folder of `result` below `root`, which also has its tokens."""
    return _fidelity_folder(root, result.reference_key, result.candidate_weights, result.cache_bits)


def find_fidelity(root: Path, reference_key: str, weights: str, cache_bits: CacheBits) -> FidelityResult | None:
    """Return the result below `root` of the model with the fingerprint `weights`, None if it was not measured."""
    result = _read(_fidelity_folder(root, reference_key, weights, cache_bits) / "result.json", FidelityResult)
    expected = (reference_key, weights, cache_bits)
    if result and (result.reference_key, result.candidate_weights, result.cache_bits) == expected:
        return result
    return None


def _fidelity_folder(root: Path, reference_key: str, weights: str, cache_bits: CacheBits) -> Path:
    return root / "fidelity" / reference_key / f"{weights[:24]}-kv{cache_bits}"


def fingerprints(root: Path) -> Fingerprints:
    """Return the fingerprint cache below `root`."""
    return Fingerprints(root / "fingerprints.json")


def fidelity_of(model: Path, root: Path) -> tuple[FidelityResult, ...]:
    """Return the results below `root` of the model in the folder `model`, latest first, without those on pasted texts.

    No weights are read: a folder that has changed since it was measured has no results.
    """
    if not (weights := fingerprints(root).cached(model)):
        return ()
    files = root.glob(f"fidelity/*/{weights[:24]}-kv*/result.json")
    results = [result for file in files if (result := _read(file, FidelityResult)) and result.corpus != PASTED_TEXT]
    return tuple(sorted(results, key=lambda result: result.created, reverse=True))


def speed_of(model: Path, root: Path) -> SpeedResult | None:
    """Return the speed of the model in the folder `model` with a 16-bit KV cache, as `fidelity_of` does."""
    weights = fingerprints(root).cached(model)
    return _read(root / "speed" / f"{weights[:24]}-kv16.json", SpeedResult) if weights else None


def save_speed(result: SpeedResult, root: Path) -> None:
    """Write `result` below `root`, replacing an earlier one of the same model.

    Raises:
        StorageError: it cannot be written.
    """
    _write(root / "speed" / f"{result.weights[:24]}-kv{result.plan.cache_bits}.json", result)


def all_fidelity(root: Path) -> Iterator[FidelityResult]:
    """Yield the results below `root`, except damaged ones and those of another version of Facet."""
    for file in sorted(root.glob("fidelity/*/*/result.json")):
        if result := _read(file, FidelityResult):
            yield result


def all_speeds(root: Path) -> Iterator[SpeedResult]:
    """Yield the results below `root` as `all_fidelity` does."""
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
