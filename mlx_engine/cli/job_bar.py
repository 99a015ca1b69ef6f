"""The bar of a job that takes long, on a terminal, and the figures beside it."""

from typing import TYPE_CHECKING

from mlx_engine.cli.download_view import duration_in_words, size_in_words
from mlx_engine.job_protocol import DownloadProgress
from mlx_engine.models.hub.upload_messages import PublishProgress
from mlx_engine.quantize.messages import ConversionProgress

if TYPE_CHECKING:
    from rich.progress import Progress


def rate_in_words(event: ConversionProgress | DownloadProgress | PublishProgress) -> str:
    """Return how much is done, how fast it goes, and how long it takes yet if anybody can tell."""
    rest = f", {duration_in_words(event.remaining_s)} left" if event.remaining_s else ""
    done = f"{size_in_words(event.done_bytes)} of {size_in_words(event.total_bytes)}"
    return f"{done}, {size_in_words(event.bytes_per_s)}/s{rest}"


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
