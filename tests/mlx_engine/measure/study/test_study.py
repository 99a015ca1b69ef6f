"""The remaining steps of a study, and the effect of events."""

import msgspec
import pytest

from mlx_engine.measure.results.messages import FidelityMeasured, ReferenceRecorded, SpeedMeasured
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Step, Study, after, after_failure, ready_to_retry, remaining
from mlx_engine.quantize.plan.messages import Converted
from mlx_engine.quantize.recipes.recipe import Format, Recipe


@pytest.fixture
def study() -> Study:
    """Return a study of an original, an existing model, and one to convert."""
    recipe = Recipe(name="four", default=Format())
    rows = (
        Row(label="maker/original", path="original", is_original=True),
        Row(label="maker/there", path="there"),
        Row(label="maker/four", path="four", recipe=recipe, exists=False),
    )
    plan = StudyPlan(name="study", original="original", candidates=("there",), recipes=("four",))
    return Study(plan=plan, rows=rows)


def _steps(study: Study) -> list[tuple[str, str]]:
    return [(step.kind, step.label.rpartition("/")[2]) for step in remaining(study)]


def _step(study: Study, kind: str, label: str) -> Step:
    return next(step for step in remaining(study) if (step.kind, step.label) == (kind, label))


def result(kl: float, label: str = "there", *, agreement: float = 0.9) -> FidelityResult:
    """Return a result with this mean KL; its other values do not matter."""
    figures = dict.fromkeys(Fidelity.__struct_fields__, 0.0)
    fidelity = msgspec.convert({**figures, "mean_kl": kl, "top1_agreement": agreement}, Fidelity, strict=False)
    return FidelityResult(
        candidate=label,
        candidate_weights="c",
        reference="original",
        reference_weights="r",
        reference_key="a",
        corpus="facet",
        convention="",
        fidelity=fidelity,
        by_kind={},
        worst=(),
    )


def test_predictions_are_stored_first_and_models_are_converted_before_measuring(study: Study) -> None:
    """Each model is completed before the next."""
    assert _steps(study) == [
        ("reference", "original"),
        ("speed", "original"),
        ("fidelity", "there"),
        ("speed", "there"),
        ("convert", "four"),
        ("fidelity", "four"),
        ("speed", "four"),
    ]


def test_completed_steps_are_not_repeated(study: Study) -> None:
    """A killed study resumes with the remaining steps."""
    recorded = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), recorded)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    converted = Converted(id="maker/four", path="four", size_bytes=1, bits_per_weight=4.5)
    study = after(study, _step(study, "convert", "maker/four"), converted)
    assert _steps(study) == [("speed", "original"), ("speed", "there"), ("fidelity", "four"), ("speed", "four")]


def test_candidates_are_compared_with_the_stored_predictions(study: Study) -> None:
    """The request contains their folder."""
    recorded = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), recorded)
    request = _step(study, "fidelity", "maker/there").request
    assert getattr(request, "reference_folder", "") == "folder"


def test_comparisons_with_other_predictions_are_repeated(study: Study) -> None:
    """All candidates of a table are compared with the same predictions; here the original has changed meanwhile."""
    first = ReferenceRecorded(id="maker/original", reference_folder="folder/a", size_bytes=1, share=0.1)
    step = _step(study, "reference", "maker/original")
    study = after(study, step, first)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    assert ("fidelity", "there") not in _steps(after(study, step, first))
    other = msgspec.structs.replace(first, reference_folder="folder/b")
    assert ("fidelity", "there") in _steps(after(study, step, other))


def test_deleted_predictions_are_stored_again_only_for_remaining_comparisons(study: Study) -> None:
    """Completed comparisons do not need them."""
    recorded = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), recorded)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    study = msgspec.structs.replace(study, reference_folder="")
    assert ("reference", "original") in _steps(study)
    study = msgspec.structs.replace(study, rows=study.rows[:2])
    assert _steps(study) == [("speed", "original"), ("speed", "there")]


def test_a_model_whose_conversion_fails_is_not_measured(study: Study) -> None:
    """The other models are."""
    study = after_failure(study, _step(study, "convert", "maker/four"), "No space", "The disk is full.")
    assert ("fidelity", "there") in _steps(study)
    assert not any(label == "four" for _, label in _steps(study))


def test_without_predictions_only_speed_is_measured(study: Study) -> None:
    """Quantizations of an original that is too large can still be fast."""
    study = after_failure(study, _step(study, "reference", "maker/original"), "Not enough memory", "It does not fit.")
    assert {kind for kind, _ in _steps(study)} == {"speed", "convert"}


def test_failed_steps_can_be_retried(study: Study) -> None:
    """The user may have freed up disk space."""
    before = _steps(study)
    study = after_failure(study, _step(study, "convert", "maker/four"), "No space", "The disk is full.")
    assert _steps(ready_to_retry(study)) == before


def speed(*series: RateSeries, failures: tuple[str, ...] = (), peak: int = 1000) -> SpeedResult:
    """Return a result with these decode speeds only."""
    return SpeedResult(
        model="there",
        weights="w",
        plan=SpeedPlan(),
        load_s=(1.0, 1.0),
        prefill_rates=(),
        decode_rates=series,
        failures=failures,
        peak_memory_bytes=peak,
    )


def test_incomplete_speeds_are_stored_and_can_be_retried(study: Study) -> None:
    """The failure is reported. Disturbed speeds are measured again too; others are not."""
    step, sound = _step(study, "speed", "maker/there"), RateSeries(0, (9.0, 9.0))
    partly = after(study, step, SpeedMeasured("", speed(sound, failures=("reading 8,192 tokens: memory ran out",))))
    row = partly.rows[1]
    assert row.speed is not None
    assert [failure.message for failure in row.failures] == ["reading 8,192 tokens: memory ran out."]
    assert ("speed", "there") not in _steps(partly)
    assert ("speed", "there") in _steps(ready_to_retry(partly))
    short = msgspec.structs.replace(speed(sound), lacks_memory=True)
    assert ("speed", "there") in _steps(ready_to_retry(after(study, step, SpeedMeasured("", short))))
    disturbed = after(study, step, SpeedMeasured("", speed(RateSeries(0, (9.0, 5.0)))))
    assert ("speed", "there") in _steps(ready_to_retry(disturbed))
    assert ("speed", "there") not in _steps(ready_to_retry(after(study, step, SpeedMeasured("", speed(sound)))))


def test_each_precision_of_the_kv_cache_is_measured(study: Study) -> None:
    """The original is measured too if its KV cache has fewer bits."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(16, 4), speed=None)
    study = msgspec.structs.replace(study, plan=plan)
    assert [step for step in _steps(study) if step[0] == "fidelity"] == [
        ("fidelity", "original"),
        ("fidelity", "there"),
        ("fidelity", "there"),
        ("fidelity", "four"),
        ("fidelity", "four"),
    ]


def test_a_stand_in_is_converted_first_and_replaces_the_original(study: Study) -> None:
    """The original is never loaded."""
    original, there, four = study.rows
    study = msgspec.structs.replace(study, rows=(original, msgspec.structs.replace(four, is_stand_in=True), there))
    steps = list(remaining(study))
    assert [(step.kind, step.label.rpartition("/")[2]) for step in steps] == [
        ("convert", "four"),
        ("reference", "original"),
        ("speed", "four"),
        ("fidelity", "there"),
        ("speed", "there"),
    ]


def test_a_failed_precision_does_not_affect_the_others(study: Study) -> None:
    """Not every model supports a KV cache with fewer bits."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(8, 16), speed=None)
    study = msgspec.structs.replace(study, plan=plan)
    step = next(step for step in remaining(study) if (step.kind, step.label) == ("fidelity", "maker/there"))
    study = after_failure(study, step, "Out of range", "Not in 8 bits.")
    assert ("fidelity", "there") in _steps(study)
