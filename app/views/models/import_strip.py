"""What is being added to the library, and how far it is."""

from pathlib import Path

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.model_imports import Import, ModelImports
from app.views.buttons import IconButton
from app.views.discover.words import Words
from app.views.painting import rounded
from app.views.theme import Theme

_BAR = 3


class ImportStrip(QWidget):
    """Shows the import that runs; hidden while there is none."""

    def __init__(self, imports: ModelImports, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._imports, self._theme = imports, theme
        self._words = Words(theme, role="small")
        self._figures = Words(theme, role="small", tone="secondary")
        self._stop = IconButton(theme, "close", "Stop adding the model")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.addWidget(self._words, 2)
        row.addWidget(self._figures, 1)
        row.addWidget(self._stop)
        self._stop.clicked.connect(self._cancel)
        imports.changed.connect(self._follow)
        self._follow()

    def _running(self) -> Import | None:
        return self._imports.queue[0] if self._imports.queue else None

    def _cancel(self) -> None:
        if running := self._running():
            self._imports.cancel(running.source)

    def _follow(self) -> None:
        running = self._running()
        self.setVisible(running is not None)
        if running is None:
            return
        others = len(self._imports.queue) - 1
        self._words.setText(f"Adding {running.name}…" + (f" ({others} more after it)" if others else ""))
        total = running.total_bytes
        amount = f"{bytes_in_words(running.done_bytes)} of {bytes_in_words(total)}" if total else "Checking the file…"
        self._figures.setText(amount)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colours.sidebar)
        running = self._running()
        if running and running.total_bytes:
            share = min(running.done_bytes / running.total_bytes, 1.0)
            bar = QRectF(0, 0, self.width() * share, _BAR)
            rounded(painter, bar, _BAR / 2, colours.accent)


def droppable(paths: list[Path]) -> list[Path]:
    """Return those of the paths that could be models: folders and GGUF files."""
    return [path for path in paths if path.is_dir() or path.suffix == ".gguf"]
