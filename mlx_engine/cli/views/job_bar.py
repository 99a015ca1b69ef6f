"""Progress bar of a long job on a terminal, with figures next to it."""

from typing import TYPE_CHECKING

from mlx_engine.amounts import format_disk_rate, format_estimate, format_progress
from mlx_engine.hub_messages import DownloadProgress
from mlx_engine.models.hub.upload_messages import PublishProgress
from mlx_engine.quantize.plan.messages import ConversionProgress, SourceProgress

if TYPE_CHECKING:
    from rich.progress import Progress


def job_bar() -> "Progress":
    """Return a progress bar on standard error; its tasks have a field `figures`."""
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
    """Format the amount done, the speed, and the estimated time left, if known."""
    time_left = f", {format_estimate(event.remaining_s)} left" if event.remaining_s else ""
    return f"{format_progress(event.done_bytes, event.total_bytes)}, {format_disk_rate(event.bytes_per_s)}{time_left}"


def format_streamed_progress(event: ConversionProgress, source: SourceProgress) -> str:
    """Format the progress of a conversion during its download; the slower of the two determines the time left."""
    downloaded = f"{format_progress(source.done_bytes, source.total_bytes)} downloaded"
    written = f"{format_progress(event.done_bytes, event.total_bytes)} written"
    remaining_s = max(event.remaining_s or 0, source.remaining_s or 0)
    return f"{downloaded}, {written}" + (f", {format_estimate(remaining_s)} left" if remaining_s else "")
