"""Findings of a study, in sentences."""

from collections.abc import Iterator

from mlx_engine.measure.figures.figures import MEAN_KL
from mlx_engine.measure.figures.format import format_measured
from mlx_engine.measure.figures.limits import AIMS, format_limits
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import remaining


def summary(subject: Subject) -> list[str]:
    """Return the first sentences of a report, the best candidate first."""
    return [*_answer(subject), *_extremes(subject), *_reservations(subject)]


def verdicts(subject: Subject) -> list[tuple[Sample, str]]:
    """Return the loss of each candidate: "about 5 of 100 next words differ …", or "not measured"."""
    return [(sample, _verdict(sample)) for sample in subject.samples if not sample.is_reference]


def role(subject: Subject) -> str:
    """Return the role of the original in the study."""
    if subject.study.reference_row.is_original:
        return "all others are compared with it"
    return "too large for this Mac: an 8-bit copy replaced it"


def _verdict(sample: Sample) -> str:
    if sample.fidelity:
        return verdict(sample.fidelity)
    return "replaced the original" if sample.row.is_stand_in else "not measured"


def _answer(subject: Subject) -> Iterator[str]:
    gates, judgement = subject.study.plan.gates, subject.judgement
    if gates is None or judgement is None:
        return
    if judgement.best is None:
        yield f"No candidate is within the limits: {format_limits(gates)}."
        return
    sample = next(sample for sample in subject.samples if sample.row.label == judgement.best.label)
    passing = len(subject.study.candidates) - len(judgement.obstacles)
    reason = "the only candidate" if passing == 1 else f"{AIMS[gates.prefer]} of {passing} candidates"
    yield f"Best within limits ({format_limits(gates)}): {one_line(sample.name)}, {reason}."


def _extremes(subject: Subject) -> Iterator[str]:
    candidates = [sample for sample in subject.samples if not sample.row.is_original]
    most = max((sample.cache_bits for sample in candidates if sample.fidelity), default=16)
    measured = [(sample, sample.fidelity) for sample in candidates if sample.fidelity and sample.cache_bits == most]
    if not measured:
        yield "No candidate has been measured yet."
        return
    measured.sort(key=lambda pair: pair[1].mean_kl)
    yield f"The closest to the original is {_lost(*measured[0])}."
    if len(measured) > 1:
        yield f"The farthest is {_lost(*measured[-1])}."


def _lost(sample: Sample, fidelity: Fidelity) -> str:
    mean_kl = f"{MEAN_KL.title_in_sentence} {format_measured(MEAN_KL, sample)}"
    return f"{one_line(sample.name)}: {verdict(fidelity)} ({mean_kl})"


def _is_unsure(sample: Sample) -> bool:
    fidelity = sample.fidelity
    return fidelity is not None and fidelity.kl_error_bound > fidelity.mean_kl


def _reservations(subject: Subject) -> Iterator[str]:
    if left := sum(step.kind in ("fidelity", "speed") for step in remaining(subject.study)):
        missing = "one measurement is" if left == 1 else f"{left} measurements are"
        yield f"The study is not complete: {missing} missing and may change these findings."
    if any(result.is_stand_in for result in subject.results):
        yield (
            "An 8-bit copy replaced the original, which is too large for this Mac. Its own loss is not "
            "included, so divergences are lower bounds."
        )
    if unsure := [one_line(sample.name) for sample in subject.samples if _is_unsure(sample)]:
        yield (
            f"Mean KL is below its error bound for {'; '.join(unsure)}. A smaller tail_mass in the plan keeps more of "
            "the original's predictions and lowers the bound."
        )
    if any(speed.disturbed for speed in subject.speeds):
        yield "Speeds marked with * are unreliable: the runs differ too much, as something else was running."
    if count := len(list(failures(subject.study))):
        yield "One step failed; see below." if count == 1 else f"{count} steps failed; see below."
