"""Behaviour of a study as it goes on: what is left to be done, and what an event adds."""

import msgspec
import pytest

from mlx_engine.measure.results.messages import FidelityMeasured, ReferenceRecorded, SpeedMeasured
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import Series, SpeedPlan, SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Step, Study, after, after_failure, ready_to_retry, remaining
from mlx_engine.quantize.plan.messages import Converted
from mlx_engine.quantize.recipes.recipe import Format, Recipe


@pytest.fixture
def study() -> Study:
    """An original, a model that is there, and one that has to be made."""
    recipe = Recipe(name="four", default=Format())
    rows = (
        Row(label="maker/original", path="original", is_original=True),
        Row(label="maker/there", path="there"),
        Row(label="maker/four", path="four", recipe=recipe, is_made=False),
    )
    plan = StudyPlan(name="study", original="original", candidates=("there",), recipes=("four",))
    return Study(plan=plan, rows=rows)


def _steps(study: Study) -> list[tuple[str, str]]:
    return [(step.kind, step.label.rpartition("/")[2]) for step in remaining(study)]


def _step(study: Study, kind: str, label: str) -> Step:
    return next(step for step in remaining(study) if (step.kind, step.label) == (kind, label))


def result(kl: float, label: str = "there", *, agreement: float = 0.9) -> FidelityResult:
    """A result of which only this matters."""
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


def test_the_answers_come_first_and_a_model_is_made_before_it_is_measured(study: Study) -> None:
    """One model after the other, each to its end."""
    assert _steps(study) == [
        ("reference", "original"),
        ("speed", "original"),
        ("fidelity", "there"),
        ("speed", "there"),
        ("convert", "four"),
        ("fidelity", "four"),
        ("speed", "four"),
    ]


def test_what_is_done_is_not_done_again(study: Study) -> None:
    """A study that was killed goes on with what is left."""
    kept = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), kept)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    made = Converted(id="maker/four", path="four", size_bytes=1, bits_per_weight=4.5)
    study = after(study, _step(study, "convert", "maker/four"), made)
    assert _steps(study) == [("speed", "original"), ("speed", "there"), ("fidelity", "four"), ("speed", "four")]


def test_candidates_are_held_against_the_kept_answers(study: Study) -> None:
    """Their folder is in the request."""
    kept = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), kept)
    request = _step(study, "fidelity", "maker/there").request
    assert getattr(request, "reference_folder", "") == "folder"


def test_what_was_measured_against_other_answers_is_measured_again(study: Study) -> None:
    """A table holds all candidates against the same answers: here the original has changed meanwhile."""
    first = ReferenceRecorded(id="maker/original", reference_folder="folder/a", size_bytes=1, share=0.1)
    step = _step(study, "reference", "maker/original")
    study = after(study, step, first)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    assert ("fidelity", "there") not in _steps(after(study, step, first))
    other = msgspec.structs.replace(first, reference_folder="folder/b")
    assert ("fidelity", "there") in _steps(after(study, step, other))


def test_answers_that_are_gone_are_kept_anew_only_for_who_is_still_to_be_measured(study: Study) -> None:
    """What is held against them already needs them no more."""
    kept = ReferenceRecorded(id="maker/original", reference_folder="folder", size_bytes=1, share=0.1)
    study = after(study, _step(study, "reference", "maker/original"), kept)
    study = after(study, _step(study, "fidelity", "maker/there"), FidelityMeasured("maker/there", result(0.1)))
    study = msgspec.structs.replace(study, reference_folder="")
    assert ("reference", "original") in _steps(study)
    study = msgspec.structs.replace(study, rows=study.rows[:2])
    assert _steps(study) == [("speed", "original"), ("speed", "there")]


def test_a_model_that_cannot_be_made_is_not_measured(study: Study) -> None:
    """The others are."""
    study = after_failure(study, _step(study, "convert", "maker/four"), "No space", "The disk is full.")
    assert ("fidelity", "there") in _steps(study)
    assert not any(label == "four" for _, label in _steps(study))


def test_without_answers_speed_alone_is_measured(study: Study) -> None:
    """A model too large for the machine says nothing of the speed of its quantizations."""
    study = after_failure(study, _step(study, "reference", "maker/original"), "Not enough memory", "It does not fit.")
    assert {kind for kind, _ in _steps(study)} == {"speed", "convert"}


def test_what_has_failed_is_tried_again_when_asked(study: Study) -> None:
    """A disk can be made room on."""
    before = _steps(study)
    study = after_failure(study, _step(study, "convert", "maker/four"), "No space", "The disk is full.")
    assert _steps(ready_to_retry(study)) == before


def speed(*series: Series, failures: tuple[str, ...] = (), peak: int = 1000) -> SpeedResult:
    """How fast something writes, and nothing else."""
    return SpeedResult(
        model="there",
        weights="w",
        plan=SpeedPlan(),
        load_s=(1.0, 1.0),
        reading=(),
        decoding=series,
        failures=failures,
        peak_memory_bytes=peak,
    )


def test_speeds_that_are_not_whole_are_kept_and_measured_again_when_asked(study: Study) -> None:
    """What failed is told; a disturbed figure is measured again too, and a sound one is not."""
    step, sound = _step(study, "speed", "maker/there"), Series(0, (9.0, 9.0))
    partly = after(study, step, SpeedMeasured("", speed(sound, failures=("reading 8,192 tokens: memory ran out",))))
    row = partly.rows[1]
    assert row.speed is not None
    assert [failure.message for failure in row.failures] == ["reading 8,192 tokens: memory ran out."]
    assert ("speed", "there") not in _steps(partly)
    assert ("speed", "there") in _steps(ready_to_retry(partly))
    short = msgspec.structs.replace(speed(sound), lacks_memory=True)
    assert ("speed", "there") in _steps(ready_to_retry(after(study, step, SpeedMeasured("", short))))
    disturbed = after(study, step, SpeedMeasured("", speed(Series(0, (9.0, 5.0)))))
    assert ("speed", "there") in _steps(ready_to_retry(disturbed))
    assert ("speed", "there") not in _steps(ready_to_retry(after(study, step, SpeedMeasured("", speed(sound)))))


def test_each_precision_of_the_context_is_a_measurement(study: Study) -> None:
    """The original too is measured where its context has fewer bits."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(16, 4), speed=None)
    study = msgspec.structs.replace(study, plan=plan)
    assert [step for step in _steps(study) if step[0] == "fidelity"] == [
        ("fidelity", "original"),
        ("fidelity", "there"),
        ("fidelity", "there"),
        ("fidelity", "four"),
        ("fidelity", "four"),
    ]


def test_a_stand_in_is_made_first_and_answers_for_the_original(study: Study) -> None:
    """The original is not loaded at all."""
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


def test_one_precision_that_fails_leaves_the_others(study: Study) -> None:
    """Not every model can keep its context in fewer bits."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(8, 16), speed=None)
    study = msgspec.structs.replace(study, plan=plan)
    step = next(step for step in remaining(study) if (step.kind, step.label) == ("fidelity", "maker/there"))
    study = after_failure(study, step, "Out of range", "Not in 8 bits.")
    assert ("fidelity", "there") in _steps(study)
