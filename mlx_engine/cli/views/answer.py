"""Views of an answer while it streams: as text, or as JSON, one object per line."""

import sys
from typing import Protocol

from mlx_engine import protocol
from mlx_engine.amounts import format_percent
from mlx_engine.cli.views import terminal
from mlx_engine.protocol import Delta, Event, Finished, LoadProgress, Prefill, SegmentKind

_controls_in_json = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""C1 controls and DEL, which JSON encoders leave unescaped but some terminals execute."""


class AnswerView(Protocol):
    def show(self, event: Event) -> None:
        """Show one event of the answer."""

    def end(self) -> None:
        """Restore the terminal, however the answer ended."""


class AnswerTextView:
    """View with the answer on standard output, and progress, thinking and statistics on standard error."""

    def __init__(self) -> None:
        self._status = terminal.StatusLine()
        self._kind: SegmentKind | None = None

    def show(self, event: Event) -> None:
        if line := progress(event):
            if self._kind is None:  # Within an answer, it would clear the current line.
                self._status.show(line)
        elif isinstance(event, Delta) and event.text:
            self._status.clear()
            self._enter(event.kind)
            (terminal.write if event.kind == "answer" else terminal.note)(event.text)
        elif isinstance(event, Finished):
            self.end()
            if event.statistics is not None:
                terminal.note(terminal.format_statistics(event.statistics) + "\n")

    def end(self) -> None:
        self._status.clear()
        self._enter(None)

    def _enter(self, kind: SegmentKind | None) -> None:
        if self._kind == "thinking" and kind != "thinking":
            terminal.note("\n\n")
        elif self._kind == "answer" and kind != "answer":
            terminal.write("\n")
        self._kind = kind


class AnswerJsonView:
    """View with each delta, and the final event with statistics, as protocol messages."""

    def __init__(self) -> None:
        self._status = terminal.StatusLine()

    def show(self, event: Event) -> None:
        if line := progress(event):
            self._status.show(line)
        elif isinstance(event, Delta | Finished):
            self._status.clear()
            sys.stdout.write(protocol.encode(event).decode().translate(_controls_in_json))
            sys.stdout.flush()

    def end(self) -> None:
        self._status.clear()


def progress(event: Event) -> str:
    """Return the text of the status line for `event`, or an empty string if it does not report progress."""
    match event:
        case LoadProgress():
            return f"Loading the model: {format_percent(event.done_bytes / max(1, event.total_bytes))}"
        case Prefill():
            reason = f" ({event.reread_reason})" if event.reread_reason else ""
            return f"Reading {event.done_tokens:,} of {event.total_tokens:,} tokens{reason}"
        case _:
            return ""
