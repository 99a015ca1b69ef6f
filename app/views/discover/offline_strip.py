"""A strip that shows that Facet is offline, the number of blocked connections, and a button to go online."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.bridges.offline import OfflineSwitch
from app.views.kit.buttons import TextButton
from app.views.kit.grid import SIDE
from app.views.kit.painting import mixed
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count

_REFRESH_MS = 1000


class OfflineStrip(QWidget):
    """Visible while Facet is offline. Other processes count blocked connections, so the count is read periodically."""

    def __init__(self, offline: OfflineSwitch, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offline, self._theme = offline, theme
        self._label = TextLabel(theme)
        self._button = TextButton(theme, "Go Online")
        self._button.clicked.connect(lambda: offline.turn(on=False))
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE, 6, SIDE, 6)
        row.addWidget(self._label, 1)
        row.addWidget(self._button)
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        offline.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current state and count."""
        self._label.setText(describe_offline(self._offline))
        self._button.setVisible(not self._offline.is_forced)
        self.setVisible(self._offline.is_on)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        QPainter(self).fillRect(self.rect(), mixed(colors.window, colors.warning, 0.12))


def describe_offline(offline: OfflineSwitch) -> str:
    """Describe the offline state, its cause if the user cannot switch it off here, and the blocked connections."""
    if offline.variable:
        state = f"Facet is offline because {offline.variable} is set. Unset it and reopen Facet to use the Hub."
    elif offline.is_forced:
        state = "Facet is offline because it was started with --offline. Reopen it without to use the Hub."
    else:
        state = "Facet is offline. Searches and downloads are paused."
    count = offline.refused_count
    return f"{state} {format_count(count, 'connection')} blocked so far." if count else state
