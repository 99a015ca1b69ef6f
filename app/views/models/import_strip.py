"""Strip with the progress of the running import, or the last imported model."""

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.imports import ModelImports, QueuedImport
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.painting import rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_progress

_BAR = 3


class ImportStrip(QWidget):
    """Shows the running import, then the last finished one until it is closed; hidden if there is none."""

    quantize_requested = Signal(str)  # model id

    def __init__(self, imports: ModelImports, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._imports, self._theme = imports, theme
        self._imported_id = ""
        self._label = TextLabel(theme, role="small")
        self._progress = TextLabel(theme, role="small", tone="secondary")
        self.quantize = SmallButton(theme, "Quantize…")
        self.close_button = IconButton(theme, "close", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.addWidget(self._label, 2)
        row.addWidget(self._progress, 1)
        row.addWidget(self.quantize)
        row.addWidget(self.close_button)
        self.quantize.clicked.connect(self._quantize)
        self.close_button.clicked.connect(self._close)
        imports.changed.connect(self._refresh)
        imports.imported.connect(self._on_imported)
        self._refresh()

    def _running(self) -> QueuedImport | None:
        return self._imports.queue[0] if self._imports.queue else None

    def _on_imported(self, model_id: str) -> None:
        self._imported_id = model_id
        self._refresh()

    def _quantize(self) -> None:
        model_id = self._imported_id
        self._close()
        self.quantize_requested.emit(model_id)

    def _close(self) -> None:
        """Cancel the running import, or hide the finished one."""
        if running := self._running():
            self._imports.cancel(running.source)
        else:
            self._imported_id = ""
            self._refresh()

    def _refresh(self) -> None:
        running = self._running()
        self.setVisible(bool(running or self._imported_id))
        self.quantize.setVisible(running is None)
        self._progress.setVisible(running is not None)
        if running:
            self._show_running(running)
        else:
            name = self._imported_id.rpartition("/")[2]
            self._label.setText(f"Added {name} to your library.")
            self.quantize.setAccessibleName(f"Quantize {name}")
            self.close_button.set_name("Hide this message")
        self.update()

    def _show_running(self, running: QueuedImport) -> None:
        waiting = len(self._imports.queue) - 1
        self._label.setText(f"Adding {running.name}…" + (f" ({waiting} waiting)" if waiting else ""))
        total = running.total_bytes
        self._progress.setText(format_progress(running.done_bytes, total) if total else "Checking the file…")
        self.close_button.set_name("Cancel import")

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        running = self._running()
        if running and running.total_bytes:
            share = min(running.done_bytes / running.total_bytes, 1.0)
            bar = QRectF(0, 0, self.width() * share, _BAR)
            rounded(painter, bar, _BAR / 2, colors.accent)
