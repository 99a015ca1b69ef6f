"""Looks for what is known of a model's loss: in what was measured, and in the studies that have it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from app.viewmodels.library.loss import Loss, NotMeasured, Speedup, describe_loss
from mlx_engine.measure.results.results import FidelityResult, all_speeds, fidelity_of
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.measure.study.study_file import all_studies

_UNKNOWN = "It was not measured yet. The Lab compares it with the original on the same text."
_WHOLE = "Nothing, as far as Facet knows: it is not quantized. The Lab shows what its quantizations lose."


def look_up(model: Path, measurements: Path, studies: Path, *, is_whole: bool) -> Loss | NotMeasured:
    """Return what is kept below `measurements` and `studies` of the model in the folder `model`.

    `is_whole` tells that it is not quantized.
    """
    found = list(_studies_with(model, studies))
    results = _latest(fidelity_of(model, measurements))
    if not results:
        return _not_measured(found, is_whole=is_whole)
    # With a whole context it is told what the weights have lost, and nothing else.
    result = next((result for result in results if result.cache_bits == 16), results[0])
    study = next((study.plan.name for study, row in found if result in row.fidelity), "")
    others = [other for other in results if other is not result]
    return describe_loss(result, _speedup(result, measurements), others, study)


def _studies_with(model: Path, studies: Path) -> Iterator[tuple[Study, Row]]:
    """Yield the studies that have the model, the latest first, and its row."""
    for study in sorted(all_studies(studies), key=lambda study: study.created, reverse=True):
        yield from ((study, row) for row in study.rows if Path(row.path).resolve() == model.resolve())


def _latest(results: Sequence[FidelityResult]) -> list[FidelityResult]:
    """Return the latest result on each text, against each original, and in each precision."""
    found: dict[tuple[str, str, int], FidelityResult] = {}
    for result in results:
        found.setdefault((result.corpus, result.reference, result.cache_bits), result)
    return list(found.values())


def _speedup(result: FidelityResult, measurements: Path) -> Speedup | None:
    speeds = {speed.weights: speed for speed in all_speeds(measurements) if speed.plan.cache_bits == 16}
    own, original = speeds.get(result.candidate_weights), speeds.get(result.reference_weights)
    return _compared(own, original) if own and original else None


def _compared(own: SpeedResult, original: SpeedResult) -> Speedup | None:
    """Compare how fast both write after the shortest context that both were measured at."""
    theirs = {series.tokens: series for series in original.decoding}
    both = ((one, theirs[one.tokens]) for one in own.decoding if one.tokens in theirs)
    pair = min(both, key=lambda pair: pair[0].tokens, default=None)
    if pair is None:
        return None
    one, other = pair
    return Speedup(one.median / other.median, one.is_disturbed or other.is_disturbed)


def _not_measured(found: Sequence[tuple[Study, Row]], *, is_whole: bool) -> NotMeasured:
    if not found:
        return NotMeasured(_WHOLE if is_whole else _UNKNOWN)
    study, row = found[0]
    name = study.plan.name
    if row.failures:
        failure = row.failures[-1]
        return NotMeasured(f"It failed in the study “{name}”: {failure.title.rstrip('.')}. {failure.message}", name)
    if row.is_original:
        return NotMeasured(
            f"Nothing: it is the original of the study “{name}”, with which the others are compared.", name
        )
    if row.is_stand_in:
        return NotMeasured(f"It answers in the place of the original of the study “{name}”.", name)
    return NotMeasured(f"It waits to be measured in the study “{name}”.", name)
