"""What a study has found, in sentences."""

from collections.abc import Iterator

from mlx_engine.amounts import format_disk, format_memory
from mlx_engine.measure.charts.quantities import Sample
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.gates import Judgement
from mlx_engine.measure.study.plan import Aim, Gates
from mlx_engine.measure.study.study import remaining

AIMS: dict[Aim, str] = {"fastest": "the fastest", "smallest": "the smallest", "closest": "the closest to the original"}


def summary(subject: Subject) -> list[str]:
    """Return the sentences with which a report begins, the answer first."""
    return [*_answer(subject), *_extremes(subject), *_reservations(subject)]


def verdicts(subject: Subject) -> list[tuple[Sample, str]]:
    """Return what is lost by each candidate, in words: "about 5 of 100 next words differ …", or that nobody knows."""
    return [(sample, _verdict(sample)) for sample in subject.samples if not sample.is_reference]


def role(subject: Subject) -> str:
    """Return what the original is in the study, in words."""
    if subject.study.answering.is_original:
        return "what all others are held against"
    return "too large for the machine: its 8-bit weights answered in its place"


def _verdict(sample: Sample) -> str:
    if sample.found:
        return verdict(sample.found)
    return "answered in the place of the original" if sample.row.is_stand_in else "not measured"


def limits(gates: Gates) -> str:
    """Return what a plan asks for: "mean KL at most 0.05 nats, size at most 8.0 GB"."""
    found = []
    if gates.max_mean_kl is not None:
        found.append(f"mean KL at most {gates.max_mean_kl:g} nats")
    if gates.max_p99_kl is not None:
        found.append(f"p99 KL at most {gates.max_p99_kl:g} nats")
    if gates.max_perplexity_ratio is not None:
        found.append(f"perplexity at most {gates.max_perplexity_ratio:g} times the original's")
    if gates.min_top1_agreement is not None:
        found.append(f"the same choice in at least {gates.min_top1_agreement:.1%}")
    if gates.max_size_bytes is not None:
        found.append(f"size at most {format_disk(gates.max_size_bytes)}")
    if gates.max_memory_bytes is not None:
        found.append(f"memory at most {format_memory(gates.max_memory_bytes)}")
    if gates.min_decode_tokens_per_s is not None:
        found.append(f"at least {gates.min_decode_tokens_per_s:g} tokens/s written")
    if gates.min_prefill_tokens_per_s is not None:
        found.append(f"at least {gates.min_prefill_tokens_per_s:g} tokens/s read")
    return ", ".join(found) or "none"


def _answer(subject: Subject) -> Iterator[str]:
    gates, judgement = subject.study.plan.gates, subject.judgement
    if gates is None or judgement is None:
        return
    if judgement.winner:
        sample = next(one for one in subject.samples if one.row.label == judgement.winner.label)
        yield f"{one_line(sample.name)} wins, {_passing(gates, len(subject.study.candidates), judgement)}."
    else:
        yield f"No candidate is within the limits: {limits(gates)}."


def _passing(gates: Gates, candidates: int, judgement: Judgement) -> str:
    passing = candidates - len(judgement.obstacles)
    first = "the only candidate" if passing == 1 else f"{AIMS[gates.prefer]} of {passing} candidates"
    return f"{first} within the limits ({limits(gates)})"


def _extremes(subject: Subject) -> Iterator[str]:
    candidates = [sample for sample in subject.samples if not sample.row.is_original]
    most = max((sample.cache_bits for sample in candidates if sample.found), default=16)
    measured = [(sample, sample.found) for sample in candidates if sample.found and sample.cache_bits == most]
    if not measured:
        yield "No candidate has been measured yet."
        return
    measured.sort(key=lambda one: one[1].mean_kl)
    yield f"The closest to the original is {_lost(*measured[0])}."
    if len(measured) > 1:
        yield f"The farthest is {_lost(*measured[-1])}."


def _lost(sample: Sample, found: Fidelity) -> str:
    return f"{one_line(sample.name)}: {verdict(found)} (mean KL {found.mean_kl:.4f} nats)"


def _is_unsure(sample: Sample) -> bool:
    found = sample.found
    return found is not None and not sample.is_reference and found.kl_error_bound > found.mean_kl


def _reservations(subject: Subject) -> Iterator[str]:
    if left := sum(step.kind in ("fidelity", "speed") for step in remaining(subject.study)):
        told = "one measurement is" if left == 1 else f"{left} measurements are"
        yield f"The study is not at its end: {told} missing, and may change what is said here."
    if any(result.is_stand_in for result in subject.results):
        yield (
            "8-bit weights answered in the place of the original, which is too large for the machine: what they lose "
            "themselves is missing, so take the divergences as lower bounds."
        )
    if unsure := [one_line(sample.name) for sample in subject.samples if _is_unsure(sample)]:
        yield (
            f"The mean KL is smaller than the bound of its error for {'; '.join(unsure)}: a smaller tail_mass in the "
            "plan keeps more of the original's answers, and tells more."
        )
    if any(speed.disturbed for speed in subject.speeds):
        yield "Speeds with a star lie far apart from one time to the next: something else was running."
    if count := len(list(failures(subject.study))):
        yield "One step failed; see the end." if count == 1 else f"{count} steps failed; see the end."
