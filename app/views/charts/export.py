"""Exports a chart as an image or a file: in light mode, with its title and method."""

import re
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QColor, QFont, QImage, QImageWriter, QPainter

from app.views.charts.scene_painter import paint, style_in
from mlx_engine.measure.charts.chart import Chart, chart_svg, page
from mlx_engine.measure.charts.svg import LIGHT
from mlx_engine.measure.results.output_file import write_output

_TEXT = 14
_LONGEST = 100
"""Longest file name in characters; file systems allow 255 bytes."""
_SCALE = 2
"""Pixels in the file per pixel of the chart, for Retina displays and print."""


def picture(chart: Chart, font: QFont) -> QImage:
    """Return an image of `chart` in `font`, at a fixed font size."""
    sized = QFont(font)
    sized.setPixelSize(_TEXT)
    scene = page(chart, style_in(sized))
    image = QImage(round(scene.width * _SCALE), round(scene.height * _SCALE), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_SCALE)
    image.fill(QColor(LIGHT["background"]))
    painter = QPainter(image)
    paint(painter, scene, {role: QColor(color) for role, color in LIGHT.items()}, sized)
    painter.end()
    return image


def write(chart: Chart, path: Path, font: QFont) -> None:
    """Write `chart` to `path`, as SVG for the suffix .svg, otherwise as PNG.

    Raises:
        StorageError: the file cannot be written.
    """
    content = chart_svg(chart).encode() if path.suffix.lower() == ".svg" else _png(picture(chart, font))
    write_output(path, content)


def file_stem(title: str) -> str:
    """Return a file name for a title, without suffix, that is valid on all file systems."""
    return re.sub(r"[^\w.-]+", "-", title).strip(".-")[:_LONGEST] or "chart"


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())
