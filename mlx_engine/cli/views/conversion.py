"""Conversions as text, with a progress bar on a terminal."""

import sys

from mlx_engine.amounts import format_disk
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.download import format_plan
from mlx_engine.cli.views.job_bar import format_job_progress, format_streamed_progress, job_bar
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import DownloadPlanned, DownloadProgress, Waiting
from mlx_engine.quantize.plan.messages import ConversionPlanned, ConversionProgress, Converted, SourceProgress
from mlx_engine.quantize.recipes.unchanged import EXPECTED_REASONS, unquantized_lines


class ConversionTextView:
    """View with the plan, remarks and a progress bar on standard error, and the folder on standard output.

    The bar also shows a concurrent download.
    """

    def __init__(self) -> None:
        self._bar = job_bar() if sys.stderr.isatty() else None
        self._source: SourceProgress | None = None

    def show(self, event: JobEvent) -> None:
        match event:
            case DownloadPlanned():
                terminal.note(f"{event.repository} at {event.commit[:8]}: {format_plan(event)}\n")
                self._start_bar(event.id, event.total_bytes)
            case Waiting():
                terminal.note(f"{event.reason} Retrying in {event.seconds:.0f} s.\n")
            case ConversionPlanned():
                terminal.note(_plan(event))
                self._start_bar(event.id, event.size_bytes)
            case SourceProgress():
                self._source = event
            case DownloadProgress() if self._bar:
                self._bar.update(self._bar.task_ids[-1], completed=event.done_bytes, figures=format_job_progress(event))
            case ConversionProgress() if self._bar:
                figures = (
                    format_job_progress(event)
                    if self._source is None
                    else format_streamed_progress(event, self._source)
                )
                self._bar.update(self._bar.task_ids[-1], completed=event.done_bytes, figures=figures)
            case Converted():
                self.end()
                terminal.write(event.path + "\n")

    def _start_bar(self, name: str, total_bytes: int) -> None:
        if self._bar:
            for task in self._bar.task_ids:
                self._bar.remove_task(task)
            self._bar.add_task(name, total=total_bytes, figures="")
            self._bar.start()

    def end(self) -> None:
        if self._bar:
            self._bar.stop()
            for task in self._bar.task_ids:
                self._bar.remove_task(task)


def _plan(event: ConversionPlanned) -> str:
    lines = [f"{event.id}: {format_disk(event.size_bytes)}, {event.bits_per_weight:.2f} bits per weight."]
    lines += event.notes
    reasons = ((tensor.path, tensor.reason) for tensor in event.unquantized if tensor.reason not in EXPECTED_REASONS)
    lines += (f"Not quantized: {line}." for line in unquantized_lines(reasons))
    return "".join(f"{line}\n" for line in lines)
