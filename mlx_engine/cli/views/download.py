"""Downloads as text: progress bars on a terminal, lines elsewhere."""

import sys
from typing import TYPE_CHECKING

from mlx_engine.amounts import format_count, format_disk, format_progress
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.job import JobView
from mlx_engine.cli.views.job_bar import format_job_progress, job_bar
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import Downloaded, DownloadPlanned, DownloadProgress, Waiting

if TYPE_CHECKING:
    from rich.progress import TaskID


def text_view(*, prints_folder: bool = True) -> JobView:
    """Return a text view; a download that is one step of a command does not print its folder."""
    view = DownloadBarView if sys.stderr.isatty() else DownloadLineView
    return view(prints_folder=prints_folder)


class DownloadLineView:
    """View with the plan and each wait on standard error, and the folder on standard output."""

    def __init__(self, *, prints_folder: bool) -> None:
        self._prints_folder = prints_folder

    def show(self, event: JobEvent) -> None:
        match event:
            case DownloadPlanned():
                terminal.note(f"{event.repository} at {event.commit[:8]}: {format_plan(event)}\n")
            case Waiting():
                terminal.note(f"{event.reason} Retrying in {event.seconds:.0f} s.\n")
            case Downloaded():
                self.end()
                if self._prints_folder:
                    terminal.write(event.path + "\n")

    def end(self) -> None:
        """Nothing to restore."""


class DownloadBarView(DownloadLineView):
    """View with progress bars in addition, for the whole download and for each of its current files."""

    def __init__(self, *, prints_folder: bool) -> None:
        super().__init__(prints_folder=prints_folder)
        self._bars = job_bar()
        self._total: TaskID | None = None
        self._files: dict[str, TaskID] = {}

    def show(self, event: JobEvent) -> None:
        super().show(event)
        if isinstance(event, DownloadPlanned):
            self._total = self._bars.add_task("Total", total=event.total_bytes, figures="")
            self._bars.start()
        elif isinstance(event, DownloadProgress) and self._total is not None:
            self._bars.update(self._total, completed=event.done_bytes, figures=format_job_progress(event))
            self._show_files(event)

    def end(self) -> None:
        self._bars.stop()

    def _show_files(self, event: DownloadProgress) -> None:
        running = {file.name: file for file in event.files}
        for name in [name for name in self._files if name not in running]:
            self._bars.remove_task(self._files.pop(name))
        for name, file in running.items():
            if name not in self._files:
                description = terminal.printable(name)
                self._files[name] = self._bars.add_task(description, total=file.total_bytes, figures="")
            figures = format_progress(file.done_bytes, file.total_bytes)
            self._bars.update(self._files[name], completed=file.done_bytes, figures=figures)


def format_plan(event: DownloadPlanned) -> str:
    """Format the size of a download: "9 files, 4.1 GB, 2.3 GB already downloaded."."""
    count = format_count(len(event.files), "file")
    if not event.missing_bytes:
        return f"{count}, {format_disk(event.total_bytes)}, already downloaded."
    present_bytes = event.total_bytes - event.missing_bytes
    present = f", {format_disk(present_bytes)} already downloaded" if present_bytes else ""
    return f"{count}, {format_disk(event.total_bytes)}{present}."
