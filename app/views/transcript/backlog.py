"""Streamed text that arrives faster than it can be shown."""

from collections.abc import Callable, Sequence
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

_PAUSE_FACTOR = 3
"""After showing text, the event loop gets this many times as long for everything else."""
_CHEAP_S = 0.004

StreamedText = tuple[str, str]
"""The kind of a text, "answer" or "thinking", and the text."""


class Backlog:
    """Collects streamed text and calls `show` with it as soon as there is time. Timers belong to `parent`."""

    def __init__(self, show: Callable[[Sequence[StreamedText]], None], parent: QObject) -> None:
        self._show = show
        self._parent = parent
        self._texts: list[StreamedText] = []
        self._pause: QTimer | None = None

    def add(self, kind: str, text: str, *, may_show: bool) -> None:
        """Add a text. Where it may not be shown yet, it waits for `take`."""
        self._texts.append((kind, text))
        if may_show and not (self._pause and self._pause.isActive()):
            self._show_all()

    def take(self) -> list[StreamedText]:
        """Return the collected texts and empty the backlog."""
        if self._pause:
            self._pause.stop()
        texts, self._texts = self._texts, []
        return texts

    def _show_all(self) -> None:
        start = perf_counter()
        self._show(self.take())
        spent = perf_counter() - start
        if spent > _CHEAP_S:
            self._pause_for(spent * _PAUSE_FACTOR)

    def _pause_for(self, seconds: float) -> None:
        # Most messages never stream, so few need a timer.
        if self._pause is None:
            self._pause = QTimer(self._parent, singleShot=True)
            self._pause.timeout.connect(self._show_all)
        self._pause.start(round(seconds * 1000))
