"""A thin progress bar."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_percent


class ProgressBar(QWidget):
    """Shows a completed fraction; gray while the work is not active."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._fraction, self._is_active = theme, 0.0, False
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_progress(self, fraction: float, *, is_active: bool) -> None:
        self._fraction, self._is_active = fraction, is_active
        self.setAccessibleName(f"{format_percent(fraction)} done")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter, area = self._theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, 2, mixed(colors.sidebar, colors.text, 0.12))
        area.setWidth(area.width() * self._fraction)
        rounded(painter, area, 2, colors.accent if self._is_active else colors.tertiary)
