"""Two ways to show conversions: text, with a bar on a terminal, and JSON. Both have `show` and `end`."""

import sys
from typing import TYPE_CHECKING, Protocol

from mlx_engine import protocol
from mlx_engine.cli import terminal
from mlx_engine.cli.download_view import duration_in_words, size_in_words
from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.protocol import WorkerExited
from mlx_engine.quantize.kept import USUAL_REASONS, kept_in_words
from mlx_engine.quantize.messages import ConversionPlanned, ConversionProgress, Converted

if TYPE_CHECKING:
    from rich.progress import Progress


class ConversionView(Protocol):
    def show(self, event: JobEvent) -> None:
        """Show one event of a conversion."""

    def end(self) -> None:
        """Leave the terminal in order, however the conversion ended."""


class TextView:
    """Plan, remarks and a bar on standard error, the folder on standard output."""

    def __init__(self) -> None:
        self._bar = _bar() if sys.stderr.isatty() else None

    def show(self, event: JobEvent) -> None:
        match event:
            case ConversionPlanned():
                terminal.note(_plan(event))
                if self._bar:
                    self._bar.add_task(event.id, total=event.size_bytes, figures="")
                    self._bar.start()
            case ConversionProgress() if self._bar:
                self._bar.update(self._bar.task_ids[-1], completed=event.done_bytes, figures=_figures(event))
            case Converted():
                self.end()
                terminal.write(event.path + "\n")

    def end(self) -> None:
        if self._bar:
            self._bar.stop()
            for task in self._bar.task_ids:
                self._bar.remove_task(task)


class JsonView:
    """Every event as it is in the protocol, one a line; the id is the name of the recipe."""

    def show(self, event: JobEvent) -> None:
        if not isinstance(event, WorkerExited):
            sys.stdout.write(protocol.encode(event).decode())
            sys.stdout.flush()

    def end(self) -> None:
        """There is nothing to put in order."""


def _plan(event: ConversionPlanned) -> str:
    told = [f"{event.id}: {size_in_words(event.size_bytes)}, {event.bits_per_weight:.2f} bits per weight."]
    told += event.notes
    told += (
        f"Kept: {line}."
        for line in kept_in_words((one.path, one.reason) for one in event.kept if one.reason not in USUAL_REASONS)
    )
    return "".join(f"{line}\n" for line in told)


def _figures(event: ConversionProgress) -> str:
    rest = f", {duration_in_words(event.remaining_s)} left" if event.remaining_s else ""
    done = f"{size_in_words(event.done_bytes)} of {size_in_words(event.total_bytes)}"
    return f"{done}, {size_in_words(event.bytes_per_s)}/s{rest}"


def _bar() -> "Progress":
    from rich.console import Console  # noqa: PLC0415 - only the bar needs it
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
