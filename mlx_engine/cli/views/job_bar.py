"""The bar of a job that takes long, on a terminal, and the figures beside it."""

from typing import TYPE_CHECKING

from mlx_engine.hub_messages import DownloadProgress
from mlx_engine.models.hub.upload_messages import PublishProgress
from mlx_engine.models.memory.memory import size_in_words
from mlx_engine.quantize.plan.messages import ConversionProgress, SourceProgress

if TYPE_CHECKING:
    from rich.progress import Progress


def job_bar() -> "Progress":
    """Return a bar for standard error; its tasks have a field `figures`."""
    from rich.console import Console  # noqa: PLC0415 - only the bar needs it
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


def rate_in_words(event: ConversionProgress | DownloadProgress | PublishProgress) -> str:
    """Return how much is done, how fast it goes, and how long it takes yet if anybody can tell."""
    rest = f", {duration_in_words(event.remaining_s)} left" if event.remaining_s else ""
    return f"{share_in_words(event.done_bytes, event.total_bytes)}, {size_in_words(event.bytes_per_s)}/s{rest}"


def both_in_words(event: ConversionProgress, source: SourceProgress) -> str:
    """Tell how far the original has come and the result is; what takes longer tells the rest."""
    came = f"{share_in_words(source.done_bytes, source.total_bytes)} downloaded"
    written = f"{share_in_words(event.done_bytes, event.total_bytes)} written"
    rest = max(event.remaining_s or 0, source.remaining_s or 0)
    return f"{came}, {written}" + (f", {duration_in_words(rest)} left" if rest else "")


def share_in_words(done_bytes: int, total_bytes: int) -> str:
    return f"{size_in_words(done_bytes)} of {size_in_words(total_bytes)}"


def duration_in_words(seconds: float) -> str:
    """Return the time as people say it, no finer than it can be known; what rounds to a whole unit is said in that."""
    if (whole := round(seconds)) < 60:
        return f"{max(1, whole)} s"
    if (minutes := round(seconds / 60)) < 60:
        return f"{minutes} min"
    return f"{seconds / 3600:.1f} h"
