"""What a study looks like in a terminal."""

from collections.abc import Callable, Iterator, Sequence

from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.job_protocol import DownloadProgress, Waiting
from mlx_engine.measure.gates import Judgement
from mlx_engine.measure.messages import AnswersUnderway, FidelityUnderway, SpeedUnderway
from mlx_engine.measure.study import Row, Step, Study
from mlx_engine.measure.words import plus_minus, verdict
from mlx_engine.models.memory import size_in_words
from mlx_engine.quantize.messages import ConversionProgress

_doing = {
    "fetch": "fetching the text",
    "answers": "the original reads",
    "convert": "converting",
    "fidelity": "comparing",
    "speed": "speed",
}


def progress_line(step: Step, event: JobEvent) -> str:
    """Return how far a step is."""
    head = f"{step.label}: {_doing[step.kind]}"
    match event:
        case AnswersUnderway(done=done, total=total):
            return f"{head}, {done} of {total} chunks"
        case FidelityUnderway(done=done, total=total, so_far=so_far):
            return f"{head}, {done} of {total} chunks, KL {so_far.mean_kl:.4f}"
        case SpeedUnderway(words=words):
            return f"{head}, {words}"
        case ConversionProgress(done_bytes=done, total_bytes=total):
            return f"{head}, {size_in_words(done)} of {size_in_words(total)}"
        case DownloadProgress() | Waiting():
            return f"{head}, {fetched_in_words(event)}"
        case _:
            return head


def fetched_in_words(event: JobEvent) -> str:
    """Return how far a text is on its way from the Hub."""
    match event:
        case DownloadProgress(done_bytes=done, total_bytes=total):
            return f"{size_in_words(done)} of {size_in_words(total)}"
        case Waiting(reason=reason):
            return reason
        case _:
            return "asking the Hub"


def _mean_kl(row: Row) -> str:
    found = row.fidelity_at(16)
    return plus_minus(found.fidelity.mean_kl, found.fidelity.mean_kl_se, 4) if found else ""


def _rate(row: Row, kind: str) -> str:
    series = getattr(row.speed, kind, ())
    return f"{series[0].median:.1f}{'*' if series[0].is_disturbed else ''}" if series else ""


COLUMNS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("model", lambda row: row.label),
    ("size", lambda row: size_in_words(row.size_bytes) if row.size_bytes else ""),
    ("bits/weight", lambda row: f"{row.bits_per_weight:.2f}" if row.bits_per_weight else ""),
    ("mean KL", _mean_kl),
    ("p99 KL", lambda row: f"{found.fidelity.p99_kl:.3f}" if (found := row.fidelity_at(16)) else ""),
    ("same choice", lambda row: f"{found.fidelity.top1_agreement:.1%}" if (found := row.fidelity_at(16)) else ""),
    ("perplexity", lambda row: f"{found.fidelity.perplexity:.2f}" if (found := row.fidelity_at(16)) else ""),
    ("read/s", lambda row: _rate(row, "reading")),
    ("write/s", lambda row: _rate(row, "decoding")),
    ("peak", lambda row: size_in_words(row.speed.peak_memory_bytes) if row.speed else ""),
)


def table(study: Study) -> str:
    """Return the rows of the study in columns, then what failed and what the figures mean."""
    lines = [[title for title, _ in COLUMNS], *([value(row) for _, value in COLUMNS] for row in study.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = "".join(f"{_aligned(line, widths)}\n" for line in lines)
    return text + "".join(f"{line}\n" for line in _remarks(study))


def _aligned(line: list[str], widths: list[int]) -> str:
    first, *others = (text.rjust(width) for text, width in zip(line, widths, strict=True))
    return "  ".join((first.strip().ljust(widths[0]), *others)).rstrip()


def _remarks(study: Study) -> Iterator[str]:
    if study.answering.is_stand_in:
        yield f"{study.answering.label} answered in the place of the original: all divergences are lower bounds."
    for row in study.rows:
        if found := row.fidelity_at(16):
            yield f"{row.label}: {verdict(found.fidelity)}."
        for failure in row.failures:
            yield f"{row.label}: {failure.title}. {failure.message}"


def judgement_lines(judgement: Judgement) -> Iterator[str]:
    """Give the winner, and why others are none."""
    for label, obstacles in judgement.obstacles.items():
        yield f"{label} does not pass: {'; '.join(obstacles)}."
    yield f"The winner is {judgement.winner.label}." if judgement.winner else "No candidate passes."
