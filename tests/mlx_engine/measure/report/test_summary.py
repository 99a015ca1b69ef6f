"""The summary and the method in a report."""

import msgspec

from mlx_engine.measure.report.facts import facts
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.subject import Subject, subject
from mlx_engine.measure.report.summary import role, summary, verdicts
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Study
from tests.mlx_engine.measure.charts.studies import FEW, study


def _with_results(**changes: object) -> Study:
    base = study(FEW)
    rows = (
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(result, **changes) for result in row.fidelity)
        )
        for row in base.rows
    )
    return msgspec.structs.replace(base, rows=tuple(rows))


def test_the_summary_reports_that_no_candidate_is_within_the_limits() -> None:
    """With the limits."""
    base = study(FEW)
    plan = msgspec.structs.replace(base.plan, gates=Gates(max_mean_kl=0.0001, max_size_bytes=10**9))
    assert summary(Subject(msgspec.structs.replace(base, plan=plan)))[0] == (
        "No candidate is within the limits: mean KL ≤ 0.0001 nats, size ≤ 1 GB."
    )


def test_a_stand_in_gives_lower_bounds() -> None:
    """The original itself was not run."""
    assert any("lower bounds" in sentence for sentence in summary(Subject(_with_results(is_stand_in=True))))
    assert not any("lower bounds" in sentence for sentence in summary(Subject(study(FEW))))


def test_an_incomplete_study_is_mentioned() -> None:
    """With the number of missing measurements. A reference that was deleted afterwards is not missing."""
    base = study(FEW)
    assert not any("not complete" in sentence for sentence in summary(Subject(base)))
    rows = (*base.rows[:2], msgspec.structs.replace(base.rows[2], fidelity=(), speed=None), *base.rows[3:])
    sentences = summary(Subject(msgspec.structs.replace(base, rows=rows)))
    assert "The study is not complete: 2 measurements are missing and may change these findings." in sentences


def test_a_stand_in_is_named() -> None:
    """It was not compared with itself."""
    base = _with_results(is_stand_in=True)
    stand_in = msgspec.structs.replace(base.rows[1], is_stand_in=True, fidelity=())
    about = Subject(msgspec.structs.replace(base, rows=(base.rows[0], stand_in, *base.rows[2:])))
    assert role(about).startswith("too large for this Mac")
    assert verdicts(about)[0][1] == "replaced the original"
    assert role(Subject(study(FEW))) == "all others are compared with it"


def test_different_conditions_are_listed_by_model() -> None:
    """Other processes may have affected only one of them."""
    base = study(FEW)
    speed = base.rows[1].speed
    assert speed
    busy = msgspec.structs.replace(speed, conditions=msgspec.structs.replace(speed.conditions, other_load=3.0))
    rows = (base.rows[0], msgspec.structs.replace(base.rows[1], speed=busy), *base.rows[2:])
    about = Subject(msgspec.structs.replace(base, rows=rows))
    assert dict(facts(about))["Conditions"].startswith("Not the same for all models")
    assert "other load: 3.0" in html(about)


def test_means_below_their_error_bound_are_mentioned() -> None:
    """Such a mean only shows that the divergence is small."""
    fidelity = study(FEW).rows[1].fidelity[0].fidelity
    unsure = msgspec.structs.replace(fidelity, kl_error_bound=2 * fidelity.mean_kl)
    sentences = summary(Subject(_with_results(fidelity=unsure)))
    assert any(sentence.startswith("Mean KL is below its error bound for") for sentence in sentences)


def test_the_facts_allow_to_repeat_the_study() -> None:
    """Even if the reference was deleted."""
    base = msgspec.structs.replace(study(FEW), reference_folder="/nowhere")
    names = {name for name, _ in facts(subject(base))}
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
