"""What a study is doing, in words."""

from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.lab.lines import Present
from mlx_engine.amounts import format_disk, format_memory, format_progress, format_token_rate
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import DownloadProgress, Waiting
from mlx_engine.measure.results.messages import AnswersUnderway, FidelityUnderway, MeasureFidelity, SpeedUnderway
from mlx_engine.measure.study.gates import judge
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.plan import Aim, Gates, Plan
from mlx_engine.measure.study.study import Step, StepKind, Study, remaining
from mlx_engine.quantize.plan.messages import ConversionProgress

_DOING: dict[StepKind, str] = {
    "fetch": "Fetching the text",
    "answers": "The original reads the text",
    "convert": "Being made",
    "fidelity": "Being compared with the original",
    "speed": "Measuring speed",
}
AIMS: dict[Aim, str] = {"fastest": "the fastest", "smallest": "the smallest", "closest": "the closest to the original"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the present step is: in words, as a share from 0 to 1, and what it has found so far."""

    present: Present
    share: float = 0.0


def progress(step: Step, event: JobEvent | None = None) -> Progress:
    """Return how far a step is after its latest event."""
    doing, label = _DOING[step.kind], step.label
    bits = step.request.cache_bits if isinstance(step.request, MeasureFidelity) else 16
    match event:
        case AnswersUnderway(done=done, total=total, tokens_per_s=rate):
            speed = f", {format_token_rate(rate)}" if rate >= 1 else ""
            return _at(label, f"{doing}: {done} of {total} parts{speed}", done, total)
        case FidelityUnderway(done=done, total=total, so_far=so_far):
            present = Present(label, f"{doing}: {done} of {total} parts", bits, so_far)
            return Progress(present, done / max(total, 1))
        case SpeedUnderway(done=done, total=total, words=words, so_far=speed):
            return Progress(Present(label, f"{doing}: {words}", speed=speed), done / max(total, 1))
        case (
            DownloadProgress(done_bytes=done, total_bytes=total)
            | ConversionProgress(done_bytes=done, total_bytes=total)
        ):
            return _at(label, f"{doing}: {format_progress(done, total)}", done, total)
        case Waiting(reason=reason):
            return Progress(Present(label, f"{doing}. {reason}"))
        case _:
            return Progress(Present(label, f"{doing}…", bits))


def _at(label: str, words: str, done: int, total: int) -> Progress:
    return Progress(Present(label, words), done / max(total, 1))


def corpus_in_words(plan: Plan) -> str:
    """Return on what the plan measures: "Facet's texts (code, prose), 8,192 tokens"."""
    corpus = plan.corpus
    name = corpus.dataset or (Path(corpus.path).stem if corpus.private else Path(corpus.path).name) or "Facet's texts"
    parts = f" ({', '.join(plan.corpus.kinds)})" if plan.corpus.kinds else ""
    return f"{name}{parts}, {f'up to {plan.limit_tokens:,} tokens' if plan.limit_tokens else 'the whole'}"


def judgement_in_words(study: Study) -> tuple[str, str]:
    """Return the winner's label, "" if there is none, and a sentence about who wins; both "" without gates."""
    gates = study.plan.gates
    if gates is None:
        return "", ""
    judgement, names = judge(study, gates), short_names(study)
    if judgement.winner is None:
        reasons = {names[label]: why[0] for label, why in judgement.obstacles.items()}
        first = next(iter(reasons.items()), None)
        because = f" {first[0]}: {first[1]}." if first else ""
        so_far = " so far" if next(remaining(study), None) else ""
        return "", f"None keeps to the limits{so_far}.{because}"
    passing = len(study.candidates) - len(judgement.obstacles)
    name = names[judgement.winner.label]
    if passing == 1:
        return judgement.winner.label, f"{name} wins: the only one that keeps to the limits."
    return judgement.winner.label, f"{name} wins: {AIMS[gates.prefer]} of {passing} that keep to the limits."


def gates_in_words(gates: Gates) -> str:
    """Return the limits in a line: "KL ≤ 0.05, at most 8.0 GB of memory, the fastest"."""
    parts = (
        f"KL ≤ {gates.max_mean_kl:g}" if gates.max_mean_kl else "",
        f"p99 KL ≤ {gates.max_p99_kl:g}" if gates.max_p99_kl else "",
        f"perplexity ≤ {gates.max_perplexity_ratio:g} times the original's" if gates.max_perplexity_ratio else "",
        f"same choice ≥ {gates.min_top1_agreement:.0%}" if gates.min_top1_agreement else "",
        f"at most {format_disk(gates.max_size_bytes)} on disk" if gates.max_size_bytes else "",
        f"at most {format_memory(gates.max_memory_bytes)} of memory" if gates.max_memory_bytes else "",
        f"at least {gates.min_decode_tokens_per_s:g} tokens/s written" if gates.min_decode_tokens_per_s else "",
        f"at least {gates.min_prefill_tokens_per_s:g} tokens/s read" if gates.min_prefill_tokens_per_s else "",
        AIMS[gates.prefer],
    )
    return ", ".join(filter(None, parts))
