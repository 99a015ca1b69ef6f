"""The whole text as a narrow strip that shows where KL is high."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from app.viewmodels.tokens.passage import Passage
from app.views.kit.theme import Theme
from app.views.tokens.layout import TokenLayout
from app.views.tokens.lines import kl_of
from app.views.tokens.paragraphs import BEFORE
from app.views.tokens.scale import KlScale, share

WIDTH = 10


def overview(theme: Theme, passage: Passage, layout: TokenLayout, height: int, ratio: float) -> QPixmap:
    """Return the strip: color and length of each line follow the highest KL of its tokens."""
    picture = QPixmap(round(WIDTH * ratio), round(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter, scale = QPainter(picture), KlScale.of(theme)
    step = height / max(len(layout.lines), 1)
    for number, line in enumerate(layout.lines):
        scored = (layout.cells[span.cell] for span in line.spans if span.cell != BEFORE)
        highest = max((kl_of(passage, cell) for cell in scored), default=0.0)
        if tint := scale.color(highest):
            length = WIDTH * (0.4 + 0.5 * share(highest))
            painter.fillRect(QRectF(1, number * step, length, max(step, 1)), tint)
    painter.end()
    return picture
