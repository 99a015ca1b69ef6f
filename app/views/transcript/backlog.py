"""Text that comes faster than it can be shown."""

from collections.abc import Callable, Sequence
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

_REST = 3
"""After new text has been shown, the event loop has this many times as long for everything else."""
_CHEAP_S = 0.004

Streamed = tuple[str, str]
"""Of what kind a text is, "answer" or "thinking", and the text."""


class Backlog(QObject):
    """Gathers what is streamed, and has `show` show it as soon as there is time for that."""

    def __init__(self, show: Callable[[Sequence[Streamed]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._show = show
        self._texts: list[Streamed] = []
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._show_all)

    def add(self, kind: str, text: str, *, may_show: bool) -> None:
        """Add a text; where it may not be shown yet, it is kept until `take`."""
        self._texts.append((kind, text))
        if may_show and not self._rest.isActive():
            self._show_all()

    def take(self) -> list[Streamed]:
        """Return what has gathered, and forget it."""
        self._rest.stop()
        taken, self._texts = self._texts, []
        return taken

    def _show_all(self) -> None:
        start = perf_counter()
        self._show(self.take())
        spent = perf_counter() - start
        if spent > _CHEAP_S:
            self._rest.start(round(spent * 1000 * _REST))
