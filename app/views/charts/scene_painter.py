"""Paints a scene in the colours of a theme, or in those of a file."""

from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.views.kit.painting import mixed
from app.views.kit.palette import Palette
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.scene import Area, BoxItem, DiscItem, Ink, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.style import Style

Colours = Mapping[Ink, QColor]


def colours_of(palette: Palette) -> Colours:
    """Return the colours of a scene's roles in a palette of the window."""
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
    """Return the style whose words are as large and wide as the theme's small ones."""
    return style_in(theme.font("small", tabular=True))


def style_in(font: QFont) -> Style:
    """Return the style whose words stand in `font`."""

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


def paint(painter: QPainter, scene: Scene, colours: Colours, font: QFont) -> None:
    """Draw `scene` at the painter's origin."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for item in scene.items:
        _paint(painter, item, colours, font)


def _paint(painter: QPainter, item: Item, colours: Colours, font: QFont) -> None:
    match item:
        case LineItem():
            painter.setPen(_pen(item, colours))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in _crisp(item)]))
        case DiscItem(middle=middle, radius=radius):
            painter.setPen(QPen(colour(item.border, colours), item.width))
            painter.setBrush(colour(item.fill, colours))
            painter.drawEllipse(QPointF(*middle), radius, radius)
        case BoxItem(area=area, radius=radius):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(item.fill, colours))
            painter.drawRoundedRect(rectangle(area), radius, radius)
        case TextItem():
            _write(painter, item, colours, _sized(font, item.size, item.bold))


def _pen(line: LineItem, colours: Colours) -> QPen:
    pen = QPen(colour(line.ink, colours), line.width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if line.dash:
        pen.setDashPattern([line.dash / line.width] * 2)
    return pen


def _crisp(line: LineItem) -> tuple[Point, ...]:
    """Return the points; of a thin upright or level line, in the middle of pixels."""
    xs, ys = {point.x for point in line.points}, {point.y for point in line.points}
    if line.width > 1 or (len(xs) > 1 and len(ys) > 1):
        return line.points
    return tuple(Point(int(point.x) + 0.5, int(point.y) + 0.5) for point in line.points)


def _write(painter: QPainter, words: TextItem, colours: Colours, font: QFont) -> None:
    painter.setFont(font)
    painter.setPen(colour(words.ink, colours))
    width = QFontMetricsF(font).horizontalAdvance(words.text)
    left = words.at.x - {"start": 0.0, "middle": width / 2, "end": width}[words.anchor]
    painter.drawText(QPointF(left, words.at.y), words.text)


def colour(ink: Ink, colours: Colours) -> QColor:
    return QColor(ink) if ink.startswith("#") else colours[ink]


def rectangle(area: Area) -> QRectF:
    return QRectF(area.left, area.top, area.width, area.height)
