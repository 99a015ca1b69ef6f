"""The state of a study as text."""

from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.lab.lines import CurrentStep
from mlx_engine.amounts import format_progress, format_token_rate
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import DownloadProgress, Waiting
from mlx_engine.measure.figures.limits import AIMS, format_limits
from mlx_engine.measure.results.messages import FidelityProgress, MeasureFidelity, ReferenceProgress, SpeedProgress
from mlx_engine.measure.study.gates import judge
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.measure.study.study import Step, StepKind, Study, remaining
from mlx_engine.quantize.plan.messages import ConversionProgress

_DOING: dict[StepKind, str] = {
    "fetch": "Downloading the text",
    "reference": "Reading the text with the original",
    "convert": "Converting",
    "fidelity": "Comparing with the original",
    "speed": "Measuring speed",
}


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Progress of the current step: as text, as a share from 0 to 1, and with its results so far."""

    step: CurrentStep
    share: float = 0.0


def step_progress(step: Step, event: JobEvent | None = None) -> StepProgress:
    """Return the progress of a step after its latest event."""
    doing, label = _DOING[step.kind], step.label
    bits = step.request.cache_bits if isinstance(step.request, MeasureFidelity) else 16
    match event:
        case ReferenceProgress(done=done, total=total, tokens_per_s=rate):
            speed = f", {format_token_rate(rate)}" if rate >= 1 else ""
            return _at(label, f"{doing}: {done} of {total} parts{speed}", done, total)
        case FidelityProgress(done=done, total=total, so_far=so_far):
            current = CurrentStep(label, f"{doing}: {done} of {total} parts", bits, so_far)
            return StepProgress(current, done / max(total, 1))
        case SpeedProgress(done=done, total=total, step=text, so_far=speed):
            return StepProgress(CurrentStep(label, f"{doing}: {text}", speed=speed), done / max(total, 1))
        case (
            DownloadProgress(done_bytes=done, total_bytes=total)
            | ConversionProgress(done_bytes=done, total_bytes=total)
        ):
            return _at(label, f"{doing}: {format_progress(done, total)}", done, total)
        case Waiting(reason=reason):
            return StepProgress(CurrentStep(label, f"{doing}. {reason}"))
        case _:
            return StepProgress(CurrentStep(label, f"{doing}…", bits))


def _at(label: str, text: str, done: int, total: int) -> StepProgress:
    return StepProgress(CurrentStep(label, text), done / max(total, 1))


def format_corpus(plan: StudyPlan) -> str:
    """Describe the text of a plan: "Facet's texts (code, prose), up to 8,192 tokens"."""
    corpus = plan.corpus
    name = corpus.dataset or (Path(corpus.path).stem if corpus.private else Path(corpus.path).name) or "Facet's texts"
    parts = f" ({', '.join(plan.corpus.kinds)})" if plan.corpus.kinds else ""
    return f"{name}{parts}, {f'up to {plan.limit_tokens:,} tokens' if plan.limit_tokens else 'all tokens'}"


def describe_judgement(study: Study) -> tuple[str, str]:
    """Return the label of the best candidate within the limits and a sentence about it, "" where there is none."""
    gates = study.plan.gates
    if gates is None:
        return "", ""
    judgement, names = judge(study, gates), short_names(study)
    if judgement.best is None:
        reasons = {names[label]: obstacles[0] for label, obstacles in judgement.obstacles.items()}
        first = next(iter(reasons.items()), None)
        because = f" {first[0]}: {first[1]}." if first else ""
        so_far = " so far" if next(remaining(study), None) else ""
        return "", f"No model meets your limits{so_far}.{because}"
    passing = len(study.candidates) - len(judgement.obstacles)
    name = names[judgement.best.label]
    if passing == 1:
        return judgement.best.label, f"Best within limits: {name}, the only one."
    return judgement.best.label, f"Best within limits: {name}, {AIMS[gates.prefer]} of {passing}."


def format_gates(gates: Gates) -> str:
    """Format the limits and the aim: "mean KL ≤ 0.05 nats, peak memory ≤ 8 GB, the fastest"."""
    return f"{format_limits(gates)}, {AIMS[gates.prefer]}"
