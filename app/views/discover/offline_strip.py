"""Says that Facet is offline, what was refused since, and how to end it."""

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

_LOOK_MS = 1000


class OfflineStrip(QWidget):
    """There only while the switch is on. Other processes do the refusing, so the count is looked up now and then."""

    def __init__(self, offline: OfflineSwitch, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offline, self._theme = offline, theme
        self._words = TextLabel(theme)
        self._button = TextButton(theme, "Go online")
        self._button.clicked.connect(lambda: offline.turn(on=False))
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE, 6, SIDE, 6)
        row.addWidget(self._words, 1)
        row.addWidget(self._button)
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self.follow)
        offline.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Show the switch and the count as they are now."""
        self._words.setText(sentence(self._offline))
        self._button.setVisible(not self._offline.is_forced)
        self.setVisible(self._offline.is_on)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follow()
        self._looking.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._looking.stop()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        QPainter(self).fillRect(self.rect(), mixed(colors.window, colors.warning, 0.12))


def sentence(offline: OfflineSwitch) -> str:
    """Return that Facet is offline, and how often that has kept something back."""
    number = offline.refused_count
    refused = f" {format_count(number, 'connection')} refused so far." if number else ""
    started = " It was started so." if offline.is_forced else ""
    return f"Facet is offline: searches and downloads wait, the rest works.{refused}{started}"
