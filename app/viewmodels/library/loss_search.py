"""Finds the quality loss of a model in saved measurements and studies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.viewmodels.library.loss import MeasuredLoss, Speedup, UnknownLoss, describe_loss
from mlx_engine.measure.results.results import FidelityResult, all_speeds, fidelity_of
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.measure.study.study_file import all_studies

_NOT_MEASURED = "Not measured yet. The Lab compares the model with its original on the same text."
_FULL_PRECISION = "None: the model is not quantized. The Lab measures the loss of its quantizations."


def find_loss(model: Path, measurements: Path, studies: Path, *, is_full_precision: bool) -> MeasuredLoss | UnknownLoss:
    """Return the loss of the model in the folder `model`, from the folders `measurements` and `studies`.

    `is_full_precision` means that the model is not quantized.
    """
    entries = list(_studies_with(model, studies))
    results = _latest(fidelity_of(model, measurements))
    if not results:
        return _unknown_loss(entries, is_full_precision=is_full_precision)
    # Prefer a 16-bit KV cache: the result then shows the loss of the weights alone.
    result = next((result for result in results if result.cache_bits == 16), results[0])
    study = next((study.plan.name for study, row in entries if result in row.fidelity), "")
    other_results = [other for other in results if other is not result]
    return describe_loss(result, _speedup(result, measurements), other_results, study)


def _studies_with(model: Path, studies: Path) -> Iterator[tuple[Study, Row]]:
    """Yield the studies with the model, latest first, and its row."""
    for study in sorted(all_studies(studies), key=lambda study: study.created, reverse=True):
        yield from ((study, row) for row in study.rows if Path(row.path).resolve() == model.resolve())


def _latest(results: Sequence[FidelityResult]) -> list[FidelityResult]:
    """Return the latest result for each text, original and KV cache precision."""
    latest: dict[tuple[str, str, int], FidelityResult] = {}
    for result in results:
        latest.setdefault((result.corpus, result.reference, result.cache_bits), result)
    return list(latest.values())


def _speedup(result: FidelityResult, measurements: Path) -> Speedup | None:
    speeds = {speed.weights: speed for speed in all_speeds(measurements) if speed.plan.cache_bits == 16}
    candidate, original = speeds.get(result.candidate_weights), speeds.get(result.reference_weights)
    return _speedup_of(candidate, original) if candidate and original else None


def _speedup_of(candidate: SpeedResult, original: SpeedResult) -> Speedup | None:
    """Compare the decode speeds after the shortest context that was measured for both."""
    by_context = {rates.tokens: rates for rates in original.decode_rates}
    pairs = ((rates, by_context[rates.tokens]) for rates in candidate.decode_rates if rates.tokens in by_context)
    pair = min(pairs, key=lambda pair: pair[0].tokens, default=None)
    if pair is None:
        return None
    rates, reference = pair
    return Speedup(rates.median / reference.median, rates.is_disturbed or reference.is_disturbed)


def _unknown_loss(entries: Sequence[tuple[Study, Row]], *, is_full_precision: bool) -> UnknownLoss:
    if not entries:
        return UnknownLoss(_FULL_PRECISION if is_full_precision else _NOT_MEASURED)
    study, row = entries[0]
    name = study.plan.name
    if row.failures:
        failure = row.failures[-1]
        return UnknownLoss(
            f"Measuring failed in the study “{name}”: {failure.title.rstrip('.')}. {failure.message}", name
        )
    if row.is_original:
        return UnknownLoss(f"None: this model is the original of the study “{name}”.", name)
    if row.is_stand_in:
        return UnknownLoss(f"This model replaces the original in the study “{name}”.", name)
    return UnknownLoss(f"Waiting to measure in the study “{name}”.", name)
