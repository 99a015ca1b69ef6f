"""A download, for people: bars on a terminal, lines elsewhere."""

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


def text_view(*, tells_folder: bool = True) -> JobView:
    """Return the view for people; where the download is only a step, its folder is not told."""
    return BarView(tells_folder=tells_folder) if sys.stderr.isatty() else LineView(tells_folder=tells_folder)


class LineView:
    """What begins, why it waits and what has come, on standard error; the folder on standard output."""

    def __init__(self, *, tells_folder: bool) -> None:
        self._tells_folder = tells_folder

    def show(self, event: JobEvent) -> None:
        match event:
            case DownloadPlanned():
                terminal.note(f"{event.repository} at {event.commit[:8]}: {format_plan(event)}\n")
            case Waiting():
                terminal.note(f"{event.reason} Trying again in {event.seconds:.0f} s.\n")
            case Downloaded():
                self.end()
                if self._tells_folder:
                    terminal.write(event.path + "\n")

    def end(self) -> None:
        """There is nothing to put in order."""


class BarView(LineView):
    """Besides, a bar for the whole and one for each file that is being downloaded."""

    def __init__(self, *, tells_folder: bool) -> None:
        super().__init__(tells_folder=tells_folder)
        self._bars = job_bar()
        self._whole: TaskID | None = None
        self._files: dict[str, TaskID] = {}

    def show(self, event: JobEvent) -> None:
        super().show(event)
        if isinstance(event, DownloadPlanned):
            self._whole = self._bars.add_task("Total", total=event.total_bytes, figures="")
            self._bars.start()
        elif isinstance(event, DownloadProgress) and self._whole is not None:
            self._bars.update(self._whole, completed=event.done_bytes, figures=format_job_progress(event))
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
    """Format the size of a download: "9 files, 4.1 GB, all here already."."""
    count = format_count(len(event.files), "file")
    if not event.missing_bytes:
        return f"{count}, {format_disk(event.total_bytes)}, all here already."
    here = event.total_bytes - event.missing_bytes
    already = f", {format_disk(here)} of it here already" if here else ""
    return f"{count}, {format_disk(event.total_bytes)}{already}."
