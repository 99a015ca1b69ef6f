"""One line with the activity, speed and memory of the engine. Its layout does not move."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.viewmodels.chat.throughput import Throughput
from app.views.charts.sparkline import draw_sparkline
from app.views.chat.throughput_figures import BarFigure, context, figures, fit_figures, memory, progress, summary
from app.views.kit.painting import mixed, rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme

_GAP = 18
"""Pixels between figures at 100% text size."""

_NEARLY_FULL = 0.9


class ThroughputBar(QWidget):
    """Shows a `Throughput`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._throughput = Throughput()
        self._model_name = ""
        self.setAccessibleName("Throughput")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def show_throughput(self, throughput: Throughput, model_name: str) -> None:
        """Show these figures; `model_name` is shown while a model is loading."""
        self._throughput, self._model_name = throughput, model_name
        description = summary([*figures(throughput, model_name), memory(throughput), context(throughput)])
        self.setAccessibleDescription(description)
        self.setToolTip(plain(description))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, round(QFontMetricsF(self._font()).height()) + 8)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def _font(self, *, bold: bool = False) -> QFont:
        return self._theme.font("label", tabular=True, bold=bold)

    def _width(self, figure: BarFigure) -> float:
        metrics = QFontMetricsF(self._font(bold=figure.is_strong))
        return metrics.horizontalAdvance(figure.widest) + self._theme.scaled(_GAP) + self._extra(figure)

    def _extra(self, figure: BarFigure) -> float:
        """Return the width of the drawing next to the figure: the sparkline, or the meter of the context."""
        if figure.is_strong:
            return self._theme.scaled(104)
        return self._theme.scaled(44) if figure == context(self._throughput) else 0

    def paintEvent(self, _event: QPaintEvent) -> None:
        activity = figures(self._throughput, self._model_name)
        resources = [figure for figure in (memory(self._throughput), context(self._throughput)) if figure]
        visible = fit_figures([*activity, *resources], self.width(), self._width)
        painter = QPainter(self)
        self._draw_left(painter, [figure for figure in visible if figure in activity])
        self._draw_right(painter, [figure for figure in visible if figure in resources])
        self._draw_progress(painter)

    def _draw_left(self, painter: QPainter, visible: list[BarFigure]) -> None:
        x = 0.0
        for figure in visible:
            width = self._width(figure)
            self._draw_text(painter, figure, QRectF(x, 0, min(width, self.width() - x), self.height()))
            if figure.is_strong:
                self._draw_rates(painter, x + width - self._extra(figure) - 4)
            x += width

    def _draw_right(self, painter: QPainter, visible: list[BarFigure]) -> None:
        x = float(self.width())
        for figure in reversed(visible):
            if figure == context(self._throughput):
                x -= self._extra(figure)
                self._draw_meter(painter, QRectF(x + 8, self.height() / 2 - 2, self._extra(figure) - 8, 4))
            width = self._width(figure) - self._extra(figure)
            area = QRectF(x - width, 0, width, self.height())
            self._draw_text(painter, figure, area, Qt.AlignmentFlag.AlignRight)
            x -= width

    def _draw_text(
        self,
        painter: QPainter,
        figure: BarFigure,
        area: QRectF,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        colors = self._theme.palette
        painter.setFont(self._font(bold=figure.is_strong))
        painter.setPen(colors.text if figure.is_strong else colors.secondary)
        text = painter.fontMetrics().elidedText(figure.text, Qt.TextElideMode.ElideRight, int(area.width()))
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_rates(self, painter: QPainter, x: float) -> None:
        area = QRectF(x, 5, self._theme.scaled(96), self.height() - 10)
        draw_sparkline(painter, area, self._throughput.history, self._theme.palette.accent)

    def _draw_meter(self, painter: QPainter, area: QRectF) -> None:
        share = self._throughput.context_tokens / self._throughput.context_length
        colors = self._theme.palette
        self._draw_bar(painter, area, share, colors.warning if share > _NEARLY_FULL else colors.secondary)

    def _draw_progress(self, painter: QPainter) -> None:
        share = progress(self._throughput)
        if share is not None:
            self._draw_bar(painter, QRectF(0, self.height() - 3, self.width(), 2), share, self._theme.palette.accent)

    def _draw_bar(self, painter: QPainter, area: QRectF, share: float, color: QColor) -> None:
        colors = self._theme.palette
        rounded(painter, area, area.height() / 2, mixed(colors.window, colors.text, 0.12))
        done = QRectF(area.topLeft(), area.size())
        done.setWidth(area.width() * min(share, 1.0))
        rounded(painter, done, area.height() / 2, color)
