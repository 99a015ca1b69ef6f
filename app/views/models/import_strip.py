"""What is being added to the library, how far it is, and what can be done with it when it is there."""

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.imports import Import, ModelImports
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.painting import rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_progress

_BAR = 3


class ImportStrip(QWidget):
    """Shows the import that runs, then the last one that has ended until it is closed; hidden while there is none."""

    quantize_requested = Signal(str)  # the id of the model

    def __init__(self, imports: ModelImports, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._imports, self._theme = imports, theme
        self._added = ""
        self._words = TextLabel(theme, role="small")
        self._figures = TextLabel(theme, role="small", tone="secondary")
        self.quantize = SmallButton(theme, "Quantize…")
        self.close_button = IconButton(theme, "close", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.addWidget(self._words, 2)
        row.addWidget(self._figures, 1)
        row.addWidget(self.quantize)
        row.addWidget(self.close_button)
        self.quantize.clicked.connect(self._quantize)
        self.close_button.clicked.connect(self._close)
        imports.changed.connect(self._follow)
        imports.imported.connect(self._take)
        self._follow()

    def _running(self) -> Import | None:
        return self._imports.queue[0] if self._imports.queue else None

    def _take(self, model_id: str) -> None:
        self._added = model_id
        self._follow()

    def _quantize(self) -> None:
        model_id = self._added
        self._close()
        self.quantize_requested.emit(model_id)

    def _close(self) -> None:
        """Give up the import that runs, or show no more that one has ended."""
        if running := self._running():
            self._imports.cancel(running.source)
        else:
            self._added = ""
            self._follow()

    def _follow(self) -> None:
        running = self._running()
        self.setVisible(bool(running or self._added))
        self.quantize.setVisible(running is None)
        self._figures.setVisible(running is not None)
        if running:
            self._show_running(running)
        else:
            name = self._added.rpartition("/")[2]
            self._words.setText(f"{name} was added to the library.")
            self.quantize.setAccessibleName(f"Quantize {name}")
            self.close_button.set_name("Hide that the model was added")
        self.update()

    def _show_running(self, running: Import) -> None:
        others = len(self._imports.queue) - 1
        self._words.setText(f"Adding {running.name}…" + (f" ({others} more after it)" if others else ""))
        total = running.total_bytes
        amount = format_progress(running.done_bytes, total) if total else "Checking the file…"
        self._figures.setText(amount)
        self.close_button.set_name("Stop adding the model")

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        running = self._running()
        if running and running.total_bytes:
            share = min(running.done_bytes / running.total_bytes, 1.0)
            bar = QRectF(0, 0, self.width() * share, _BAR)
            rounded(painter, bar, _BAR / 2, colors.accent)
