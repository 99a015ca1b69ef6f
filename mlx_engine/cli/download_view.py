"""Three ways to show a download: bars on a terminal, lines elsewhere, JSON. All have `show` and `end`."""

import sys
from typing import TYPE_CHECKING, Protocol

from mlx_engine import protocol
from mlx_engine.cli import terminal
from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.job_protocol import Downloaded, DownloadPlanned, DownloadProgress, Waiting
from mlx_engine.protocol import WorkerExited

if TYPE_CHECKING:
    from rich.progress import TaskID


class DownloadView(Protocol):
    def show(self, event: JobEvent) -> None:
        """Show one event of the download."""

    def end(self) -> None:
        """Leave the terminal in order, however the download ended."""


def text_view(*, tells_folder: bool = True) -> DownloadView:
    """Return the view for people; where the download is only a step, its folder is not told."""
    return BarView(tells_folder=tells_folder) if sys.stderr.isatty() else LineView(tells_folder=tells_folder)


class LineView:
    """What begins, why it waits and what has come, on standard error; the folder on standard output."""

    def __init__(self, *, tells_folder: bool) -> None:
        self._tells_folder = tells_folder

    def show(self, event: JobEvent) -> None:
        match event:
            case DownloadPlanned():
                terminal.note(f"{event.repository} at {event.commit[:8]}: {plan_in_words(event)}\n")
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
        from rich.console import Console  # noqa: PLC0415 - only the bars need it
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._whole: TaskID | None = None
        self._files: dict[str, TaskID] = {}

    def show(self, event: JobEvent) -> None:
        super().show(event)
        if isinstance(event, DownloadPlanned):
            self._whole = self._bars.add_task("Total", total=event.total_bytes, figures="")
            self._bars.start()
        elif isinstance(event, DownloadProgress) and self._whole is not None:
            self._bars.update(self._whole, completed=event.done_bytes, figures=_figures(event))
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
            self._bars.update(
                self._files[name], completed=file.done_bytes, figures=_of(file.done_bytes, file.total_bytes)
            )


class JsonView:
    """Every event as it is in the protocol, one a line."""

    def show(self, event: JobEvent) -> None:
        if not isinstance(event, WorkerExited):
            sys.stdout.write(protocol.encode(event).decode())
            sys.stdout.flush()

    def end(self) -> None:
        """There is nothing to put in order."""


def size_in_words(size: float) -> str:
    """Return the size as people read it: "4.1 GB"."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes_each:
            return f"{size / bytes_each:.3g} {unit}" if size < 100 * bytes_each else f"{size / bytes_each:.0f} {unit}"
    return f"{size:.0f} B"


def duration_in_words(seconds: float) -> str:
    """Return the time as people say it, no finer than it can be known."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def plan_in_words(event: DownloadPlanned) -> str:
    """Say how much there is to download: "9 files, 4.1 GB, all here already."."""
    count = f"{len(event.files)} file{'' if len(event.files) == 1 else 's'}"
    if not event.missing_bytes:
        return f"{count}, {size_in_words(event.total_bytes)}, all here already."
    here = event.total_bytes - event.missing_bytes
    already = f", {size_in_words(here)} of it here already" if here else ""
    return f"{count}, {size_in_words(event.total_bytes)}{already}."


def _figures(event: DownloadProgress) -> str:
    rest = f", {duration_in_words(event.remaining_s)} left" if event.remaining_s else ""
    return f"{_of(event.done_bytes, event.total_bytes)}, {size_in_words(event.bytes_per_s)}/s{rest}"


def _of(done: int, total: int) -> str:
    return f"{size_in_words(done)} of {size_in_words(total)}"
