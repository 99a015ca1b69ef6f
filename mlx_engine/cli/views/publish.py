"""Upload of a model as text, with a progress bar on a terminal."""

import sys

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.job_bar import format_job_progress, job_bar
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import Waiting
from mlx_engine.models.hub.upload_messages import Published, PublishPlanned, PublishProgress


class PublishTextView:
    """View with the plan, each wait and a progress bar on standard error, and the URL on standard output."""

    def __init__(self) -> None:
        self._bar = job_bar() if sys.stderr.isatty() else None

    def show(self, event: JobEvent) -> None:
        match event:
            case PublishPlanned():
                terminal.note(f"{_plan(event)}\n")
                if self._bar:
                    self._bar.add_task("Uploading", total=event.total_bytes, figures="")
                    self._bar.start()
            case PublishProgress() if self._bar:
                self._bar.update(self._bar.task_ids[-1], completed=event.done_bytes, figures=format_job_progress(event))
            case Waiting():
                terminal.note(f"{event.reason} Retrying in {event.seconds:.0f} s.\n")
            case Published():
                self.end()
                terminal.write(event.address + "\n")

    def end(self) -> None:
        if self._bar:
            self._bar.stop()


def _plan(event: PublishPlanned) -> str:
    if not event.missing_bytes:
        return f"{event.repository} is already up to date."
    present_bytes = event.total_bytes - event.missing_bytes
    present = f", {format_disk(present_bytes)} already uploaded" if present_bytes else ""
    return f"{event.repository}: {format_count(len(event.files), 'file')}, {format_disk(event.total_bytes)}{present}."
