"""Behaviour of what a report says first, and of what it says of how it was measured."""

import msgspec

from mlx_engine.measure.report.facts import facts
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.subject import Subject, subject
from mlx_engine.measure.report.summary import role, summary, verdicts
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Study
from tests.mlx_engine.measure.charts.studies import FEW, study


def _with_results(**changes: object) -> Study:
    made = study(FEW)
    rows = (
        msgspec.structs.replace(row, fidelity=tuple(msgspec.structs.replace(one, **changes) for one in row.fidelity))
        for row in made.rows
    )
    return msgspec.structs.replace(made, rows=tuple(rows))


def test_no_winner_is_told() -> None:
    """With the limits that none keeps to."""
    made = study(FEW)
    plan = msgspec.structs.replace(made.plan, gates=Gates(max_mean_kl=0.0001, max_size_bytes=10**9))
    assert summary(Subject(msgspec.structs.replace(made, plan=plan)))[0] == (
        "No candidate is within the limits: mean KL ≤ 0.0001 nats, size ≤ 1 GB."
    )


def test_a_stand_in_makes_lower_bounds() -> None:
    """Whoever reads the figures must know that the original itself was not run."""
    assert any("lower bounds" in sentence for sentence in summary(Subject(_with_results(is_stand_in=True))))
    assert not any("lower bounds" in sentence for sentence in summary(Subject(study(FEW))))


def test_a_study_that_goes_on_is_told_apart() -> None:
    """By how much is missing; where the original's answers were deleted after all was measured, nothing is."""
    made = study(FEW)
    assert not any("not complete" in sentence for sentence in summary(Subject(made)))
    rows = (*made.rows[:2], msgspec.structs.replace(made.rows[2], fidelity=(), speed=None), *made.rows[3:])
    told = summary(Subject(msgspec.structs.replace(made, rows=rows)))
    assert "The study is not complete: 2 measurements are missing and may change these findings." in told


def test_who_answers_for_the_original_is_named() -> None:
    """The original itself was too large, and what stood in for it was not measured against itself."""
    made = _with_results(is_stand_in=True)
    answering = msgspec.structs.replace(made.rows[1], is_stand_in=True, fidelity=())
    about = Subject(msgspec.structs.replace(made, rows=(made.rows[0], answering, *made.rows[2:])))
    assert role(about).startswith("too large for this Mac")
    assert verdicts(about)[0][1] == "stood in for the original"
    assert role(Subject(study(FEW))) == "all others are compared with it"


def test_conditions_that_differ_stand_with_each_model() -> None:
    """Others may have been busy with one of them only."""
    made = study(FEW)
    speed = made.rows[1].speed
    assert speed
    busy = msgspec.structs.replace(speed, conditions=msgspec.structs.replace(speed.conditions, other_load=3.0))
    rows = (made.rows[0], msgspec.structs.replace(made.rows[1], speed=busy), *made.rows[2:])
    about = Subject(msgspec.structs.replace(made, rows=rows))
    assert dict(facts(about))["Conditions"].startswith("Not the same for all models")
    assert "other load: 3.0" in html(about)


def test_figures_below_the_bound_of_their_error_are_told() -> None:
    """Such a mean says only that it is small."""
    found = study(FEW).rows[1].fidelity[0].fidelity
    unsure = msgspec.structs.replace(found, kl_error_bound=2 * found.mean_kl)
    told = summary(Subject(_with_results(fidelity=unsure)))
    assert any(sentence.startswith("Mean KL is below its error bound for") for sentence in told)


def test_what_is_needed_to_measure_again_is_told() -> None:
    """Also where the original's answers are kept no more."""
    made = msgspec.structs.replace(study(FEW), reference_folder="/nowhere")
    names = {name for name, _ in facts(subject(made))}
    assert names >= {
        "Divergence",
        "Text",
        "Convention",
        "Same input",
        "Sampling",
        "KV cache",
        "Error bound",
        "Conditions",
    }
