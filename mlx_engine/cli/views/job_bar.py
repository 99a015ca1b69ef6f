"""The bar of a job that takes long, on a terminal, and the figures beside it."""

from typing import TYPE_CHECKING

from mlx_engine.amounts import format_disk_rate, format_estimate, format_progress
from mlx_engine.hub_messages import DownloadProgress
from mlx_engine.models.hub.upload_messages import PublishProgress
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


def format_job_progress(event: ConversionProgress | DownloadProgress | PublishProgress) -> str:
    """Format the part that is done, the speed, and the time left if it can be estimated."""
    left = f", {format_estimate(event.remaining_s)} left" if event.remaining_s else ""
    return f"{format_progress(event.done_bytes, event.total_bytes)}, {format_disk_rate(event.bytes_per_s)}{left}"


def format_streamed_progress(event: ConversionProgress, source: SourceProgress) -> str:
    """Format the progress of a conversion during its download; the slower of the two decides the time left."""
    downloaded = f"{format_progress(source.done_bytes, source.total_bytes)} downloaded"
    written = f"{format_progress(event.done_bytes, event.total_bytes)} written"
    left_s = max(event.remaining_s or 0, source.remaining_s or 0)
    return f"{downloaded}, {written}" + (f", {format_estimate(left_s)} left" if left_s else "")
