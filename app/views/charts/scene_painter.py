"""Paints a scene in the colors of a theme or of a file."""

from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.views.kit.painting import mixed
from app.views.kit.palette import Palette
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.scene import Area, BoxItem, DiscItem, Ink, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.style import Style

Colors = Mapping[Ink, QColor]


def scene_colors(palette: Palette) -> Colors:
    """Return the colors of the roles of a scene in `palette`."""
    return {
        "background": palette.window,
        "text": palette.text,
        "secondary": palette.secondary,
        "tertiary": palette.tertiary,
        "grid": mixed(palette.window, palette.border, 0.8),
        "accent": palette.accent,
        "muted": mixed(palette.tertiary, palette.window, 0.3),
        "warning": palette.warning,
    }


def style_of(theme: Theme) -> Style:
    """Return the style of the small font of the theme."""
    return style_in(theme.font("small", tabular=True))


def style_in(font: QFont) -> Style:
    """Return the style of `font`."""

    @cache
    def metrics(size: float, bold: bool) -> QFontMetricsF:
        return QFontMetricsF(_sized(font, size, bold))

    def width(text: str, size: float, bold: bool) -> float:
        return metrics(size, bold).horizontalAdvance(text)

    return Style(font.pixelSize(), width)


def _sized(font: QFont, size: float, bold: bool) -> QFont:
    sized = QFont(font)
    sized.setPixelSize(round(size))
    if bold:
        sized.setWeight(QFont.Weight.DemiBold)
    return sized


def paint(painter: QPainter, scene: Scene, colors: Colors, font: QFont) -> None:
    """Paint `scene` at the origin of the painter."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for item in scene.items:
        _paint(painter, item, colors, font)


def _paint(painter: QPainter, item: Item, colors: Colors, font: QFont) -> None:
    match item:
        case LineItem():
            painter.setPen(_pen(item, colors))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in _crisp(item)]))
        case DiscItem(middle=middle, radius=radius):
            painter.setPen(QPen(color(item.border, colors), item.width))
            painter.setBrush(color(item.fill, colors))
            painter.drawEllipse(QPointF(*middle), radius, radius)
        case BoxItem(area=area, radius=radius):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(item.fill, colors))
            painter.drawRoundedRect(rectangle(area), radius, radius)
        case TextItem():
            _write(painter, item, colors, _sized(font, item.size, item.bold))


def _pen(line: LineItem, colors: Colors) -> QPen:
    pen = QPen(color(line.ink, colors), line.width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if line.dash:
        pen.setDashPattern([line.dash / line.width] * 2)
    return pen


def _crisp(line: LineItem) -> tuple[Point, ...]:
    """Return the points; those of a thin horizontal or vertical line are at pixel centers."""
    xs, ys = {point.x for point in line.points}, {point.y for point in line.points}
    if line.width > 1 or (len(xs) > 1 and len(ys) > 1):
        return line.points
    return tuple(Point(int(point.x) + 0.5, int(point.y) + 0.5) for point in line.points)


def _write(painter: QPainter, item: TextItem, colors: Colors, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(color(item.ink, colors))
    width = QFontMetricsF(font).horizontalAdvance(item.text)
    x = item.at.x - {"start": 0.0, "middle": width / 2, "end": width}[item.anchor]
    painter.drawText(QPointF(x, item.at.y), item.text)


def color(ink: Ink, colors: Colors) -> QColor:
    return QColor(ink) if ink.startswith("#") else colors[ink]


def rectangle(area: Area) -> QRectF:
    return QRectF(area.left, area.top, area.width, area.height)
