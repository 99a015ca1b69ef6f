"""The bit map of a model: one row per layer, one column per kind of matrix, colored by bits per weight."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.viewmodels.formatting.matrix import kind_order, short_kind
from app.views.charts.bit_scale import bit_color, swatch
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count

_LOWEST, _HIGHEST = 3, 10
"""Row height in pixels at 100% text size; more layers have lower rows."""
_HEIGHT = 240


class LayerBitsRow(Protocol):
    @property
    def layer(self) -> int | None: ...
    @property
    def bits(self) -> Mapping[str, float]: ...


class BitMap(QWidget):
    """Shows layers. Matrices outside all layers are on a line above them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._outside: Mapping[str, float] = {}
        self._layers: Sequence[LayerBitsRow] = ()
        self._kinds: list[str] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Bits of each layer")
        theme.changed.connect(self.updateGeometry)

    def show_layers(self, layers: Sequence[LayerBitsRow]) -> None:
        self._outside = {name: bits for layer in layers if layer.layer is None for name, bits in layer.bits.items()}
        self._layers = [layer for layer in layers if layer.layer is not None]
        self._kinds = sorted({name for layer in self._layers for name in layer.bits}, key=kind_order)
        self.setAccessibleDescription(describe_bits(layers))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, round(self._map_area().bottom()) + self._line_height() + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def _line_height(self) -> int:
        return QFontMetrics(self._theme.font("small")).height()

    def _row_height(self) -> float:
        rows = max(len(self._layers), 1)
        return self._theme.scaled(min(max(_HEIGHT / rows, _LOWEST), _HIGHEST))

    def _map_area(self) -> QRectF:
        x = QFontMetrics(self._theme.font("small")).horizontalAdvance("888") + 8
        top = (self._line_height() + 10 if self._outside else 0) + self._line_height() + 4
        return QRectF(x, top, max(self.width() - x, 1), self._row_height() * len(self._layers))

    def _cell(self, row: int, column: int) -> QRectF:
        area, height = self._map_area(), self._row_height()
        width = area.width() / max(len(self._kinds), 1)
        gap = 1 if height > 4 else 0.5
        return QRectF(area.left() + column * width, area.top() + row * height, width - 1, height - gap)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        self._paint_outside(painter)
        self._paint_kinds(painter)
        for row, layer in enumerate(self._layers):
            for column, kind in enumerate(self._kinds):
                if kind in layer.bits:
                    painter.fillRect(self._cell(row, column), bit_color(layer.bits[kind]))
        self._paint_numbers(painter)
        self._paint_legend(painter)

    def _paint_outside(self, painter: QPainter) -> None:
        """Paint a swatch and the name of each matrix outside all layers."""
        x = self._map_area().left()
        for name, bits in self._outside.items():
            x = self._paint_swatch(painter, x, 0, bit_color(bits), short_kind(name)) + 12

    def _paint_kinds(self, painter: QPainter) -> None:
        painter.setPen(self._theme.palette.secondary)
        top = self._map_area().top() - self._line_height() - 4
        for column, kind in enumerate(self._kinds):
            cell = self._cell(0, column)
            name = short_kind(kind)
            label_area = QRectF(cell.left(), top, cell.width(), self._line_height())
            if painter.fontMetrics().horizontalAdvance(name) <= label_area.width():
                painter.drawText(label_area, Qt.AlignmentFlag.AlignHCenter, name)

    def _paint_numbers(self, painter: QPainter) -> None:
        """Paint layer numbers, skipping some if space is short."""
        painter.setPen(self._theme.palette.tertiary)
        area, height = self._map_area(), self._row_height()
        step = next(step for step in (1, 2, 4, 8, 16, 32, 64, 1 << 20) if step * height >= self._line_height())
        for row in range(0, len(self._layers), step):
            top = area.top() + row * height + (height - self._line_height()) / 2
            number = QRectF(0, top, area.left() - 8, self._line_height())
            painter.drawText(
                number, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{self._layers[row].layer}"
            )

    def _paint_legend(self, painter: QPainter) -> None:
        x, top = self._map_area().left(), self._map_area().bottom() + 8
        for bits in _distinct(self._all()):
            x = self._paint_swatch(painter, x, top, bit_color(bits), f"{bits:g}-bit") + 12

    def _paint_swatch(self, painter: QPainter, x: float, top: float, color: QColor, label: str) -> float:
        """Paint a swatch with a label, and return their right edge."""
        end = swatch(painter, self._theme, QRectF(x, top, 0, self._line_height()), color) + 5
        width = painter.fontMetrics().horizontalAdvance(label)
        painter.setPen(self._theme.palette.secondary)
        painter.drawText(QRectF(end, top, width + 2, self._line_height()), Qt.AlignmentFlag.AlignVCenter, label)
        return end + width

    def _all(self) -> Iterable[float]:
        yield from self._outside.values()
        for layer in self._layers:
            yield from layer.bits.values()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), plain(self.tip_at(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, point: QPoint) -> str:
        """Return the tooltip of the matrix at a point, or "" outside the map."""
        area = self._map_area()
        if not self._kinds or not area.contains(point):
            return ""
        # The right and bottom edges belong to the area, but to no cell.
        row = min(int((point.y() - area.top()) / self._row_height()), len(self._layers) - 1)
        column = min(int((point.x() - area.left()) / area.width() * len(self._kinds)), len(self._kinds) - 1)
        layer, kind = self._layers[row], self._kinds[column]
        return f"Layer {layer.layer}, {kind}: {layer.bits[kind]:g} bits" if kind in layer.bits else ""


def describe_bits(layers: Sequence[LayerBitsRow]) -> str:
    """Return the number of matrices for each number of bits."""
    all_bits = [bits for layer in layers for bits in layer.bits.values()]
    counts = ((all_bits.count(bits), bits) for bits in _distinct(all_bits))
    return ", ".join(f"{format_count(count, 'matrix', 'matrices')} in {bits:g} bits" for count, bits in counts)


def _distinct(bits: Iterable[float]) -> list[float]:
    return sorted(set(bits))
