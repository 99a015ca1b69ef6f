"""Shows a chart in the available space; mouse and keyboard can point at its marks."""

import math
from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.viewmodels.lab.chart_card import ChartCard
from app.views.charts.figure_card import FigureCard
from app.views.charts.scene_painter import paint, rectangle, scene_colors, style_of
from app.views.kit.painting import focus_ring
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.chart import Chart
from mlx_engine.measure.charts.scene import HoverTarget, Scene

_REACH = 10.0
"""Largest distance between pointer and mark, in pixels."""
_OVERLAP = 1.5
"""Marks within this distance overlap, in pixels."""
_MARGIN = 6.0
_STEPS: Mapping[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class ChartView(QWidget):
    """Click or Space activates a mark; double-click or Return opens its row."""

    activated = Signal(str)  # the key of a sample
    row_opened = Signal(str)  # the label of a row

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chart: Chart | None = None
        self._cards: Mapping[str, ChartCard] = {}
        self._selected = ""
        self.scene = Scene(0, 0, ())
        self._picture: QPixmap | None = None
        self.pointed: HoverTarget | None = None
        self.card = FigureCard(theme, self)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._redraw)

    @property
    def chart(self) -> Chart | None:
        return self._chart

    def show_chart(self, chart: Chart, cards: Mapping[str, ChartCard]) -> None:
        """Show `chart`, with the tooltips `cards` by the keys of its marks."""
        if chart == self._chart and cards == self._cards:
            return
        self._chart, self._cards = chart, cards
        self.setAccessibleName(chart.title)
        self.setAccessibleDescription(chart.description)
        self._redraw()

    def select(self, key: str) -> None:
        """Mark the sample with this key; "" marks nothing."""
        if key != self._selected:
            self._selected = key
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, max(self._theme.scaled(360), self.minimumSizeHint().height()))

    def minimumSizeHint(self) -> QSize:
        style = style_of(self._theme)
        height = self._chart.least_height(style) if self._chart else style.scaled(120)
        return QSize(200, round(height + 2 * _MARGIN))

    def _redraw(self) -> None:
        self._picture = None
        if self._chart:
            width, height = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
            self.scene = self._chart.draw(max(width, 1.0), max(height, 1.0), style_of(self._theme))
            self._update_pointed()
        self.updateGeometry()
        self.update()

    def _update_pointed(self) -> None:
        """Keep pointing at the same mark after it has moved."""
        key = self.pointed.key if self.pointed else None
        self._point_at(next((target for target in self.scene.targets if target.key == key), None))

    def _point_at(self, target: HoverTarget | None) -> None:
        self.pointed = target
        if target:
            brief = ChartCard(target.text, ())
            card = self._cards.get(target.key, brief)
            mark = rectangle(target.area).translated(_MARGIN, _MARGIN)
            # For a bar, the card points at its end.
            mark.setLeft(max(mark.left(), mark.right() - mark.height()))
            self.card.show_near(replace(card, also=self._others_at(target)), brief, mark)
        else:
            self.card.hide()
        self.update()

    def target_at(self, point: QPointF) -> HoverTarget | None:
        """Return the nearest mark within reach of `point`, or None."""
        inside = point - QPointF(_MARGIN, _MARGIN)
        near = [(_distance(rectangle(target.area), inside), target) for target in self.scene.targets]
        distance, target = min(near, key=lambda item: item[0], default=(_REACH, None))
        return target if distance < _REACH else None

    def _overlapping(self, target: HoverTarget) -> list[HoverTarget]:
        """Return the marks that overlap `target`, including itself."""
        here = target.area.middle
        return [other for other in self.scene.targets if math.dist(here, other.area.middle) < _OVERLAP]

    def _others_at(self, target: HoverTarget) -> str:
        """Return the names of other rows with a mark in the same place."""
        others = (other for other in self._overlapping(target) if other.sample != target.sample)
        return ", ".join(dict.fromkeys(other.name for other in others))

    def _next_at(self, target: HoverTarget) -> HoverTarget:
        """Return the target of a click: of overlapping marks, the one after the selected mark."""
        here = self._overlapping(target)
        keys = [other.sample for other in here]
        return here[(keys.index(self._selected) + 1) % len(here)] if self._selected in keys else target

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._redraw()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        target = self.target_at(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if target else Qt.CursorShape.ArrowCursor)
        if target != self.pointed:
            self._point_at(target)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (target := self.target_at(event.position())):
            self.activated.emit(self._next_at(target).sample)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (target := self.target_at(event.position())):
            self.row_opened.emit(target.label)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Otherwise the card would stay in place while the chart scrolls.
        self._point_at(None)
        super().wheelEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._point_at(None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _STEPS:
            self._step(*_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.pointed:
            self.row_opened.emit(self.pointed.label)
        elif key == Qt.Key.Key_Space and self.pointed:
            self.activated.emit(self.pointed.sample)
        elif key == Qt.Key.Key_Escape and self.pointed:
            self._point_at(None)
        else:
            super().keyPressEvent(event)

    def _step(self, x: int, y: int) -> None:
        """Go to the next mark in a direction, or to the first one, and announce it."""
        target = self._ahead(self.pointed, x, y) if self.pointed else next(iter(self.scene.targets), None)
        if target:
            self._point_at(target)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, target.text))

    def _ahead(self, target: HoverTarget, x: int, y: int) -> HoverTarget | None:
        """Return the nearest mark in a direction from `target`; distance across the direction counts twice."""
        here, order = target.area.middle, {other.key: number for number, other in enumerate(self.scene.targets)}

        def distance(other: HoverTarget) -> float:
            right, down = other.area.middle.x - here.x, other.area.middle.y - here.y
            # Overlapping marks are ordered as in the scene.
            along = right * x + down * y + 1e-6 * (order[other.key] - order[target.key]) * (x + y)
            return along + 2 * abs(right * y + down * x) if along > 0 else math.inf

        nearest = min(self.scene.targets, key=distance)
        return nearest if distance(nearest) < math.inf else None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 8, self._theme.palette.accent)
        painter.drawPixmap(0, 0, self._picture_of_scene())
        painter.translate(_MARGIN, _MARGIN)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for target in self.scene.targets:
            if target == self.pointed or target.sample == self._selected:
                self._ring(painter, rectangle(target.area))

    def _picture_of_scene(self) -> QPixmap:
        """Return the picture of the chart without highlights, painted again only after a change."""
        scale = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != scale:
            self._picture = QPixmap((QSizeF(self.size()) * scale).toSize())
            self._picture.setDevicePixelRatio(scale)
            self._picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._picture)
            painter.translate(_MARGIN, _MARGIN)
            paint(painter, self.scene, scene_colors(self._theme.palette), self._theme.font("small", tabular=True))
            painter.end()
        return self._picture

    def _ring(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(self._theme.palette.text, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        around = area.adjusted(-3, -3, 3, 3)
        radius = min(around.width(), around.height()) / 2
        painter.drawRoundedRect(around, min(radius, 12), min(radius, 12))


def _distance(area: QRectF, point: QPointF) -> float:
    x = max(area.left() - point.x(), 0.0, point.x() - area.right())
    y = max(area.top() - point.y(), 0.0, point.y() - area.bottom())
    # Of overlapping marks, the one with the nearest center wins.
    return math.hypot(x, y) + 0.001 * (area.center() - point).manhattanLength()
