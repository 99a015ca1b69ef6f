"""What a quantization has lost, as three bars and a sentence; and the way to the Lab, where it is measured."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.loss_card import Bar, Loss
from app.views.buttons import LinkButton
from app.views.discover.words import Words
from app.views.flow import Flow
from app.views.painting import mixed, rounded
from app.views.theme import Theme

_UNKNOWN = "It was not measured yet. The Lab holds it against the original on the same text."
_BAR, _GAP = 5, 8


class LossCard(QWidget):
    """Shows what was lost, or that it is not known yet; `open` leads to the Lab."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loss: Loss | None = None
        self._bars = LossBars(theme)
        self._sentence = Words(theme, role="small", wraps=True)
        self._how = Words(theme, role="small", tone="secondary", wraps=True)
        self.open = LinkButton(theme, "Measure…")
        self.copy_button = LinkButton(theme, "Copy for a model card")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(Words(theme, "What did I lose?", role="small", bold=True))
        column.addWidget(self._sentence)
        column.addWidget(self._bars)
        column.addWidget(self._how)
        column.addWidget(Flow((self.open, self.copy_button)))
        self.copy_button.clicked.connect(self.copy)
        self.show_loss(None)

    def show_loss(self, loss: Loss | None) -> None:
        self._loss = loss
        self._sentence.setText(loss.sentence if loss else _UNKNOWN)
        self._how.setText(loss.how if loss else "")
        self._bars.show_bars(loss.bars if loss else ())
        for part in (self._bars, self._how, self.copy_button):
            part.setVisible(loss is not None)
        self.open.setText("Open in the Lab" if loss else "Measure…")
        self.open.setAccessibleName("Open this measurement in the Lab" if loss else "Measure it in the Lab")
        self.open.updateGeometry()

    def copy(self) -> None:
        """Put a section for a model card on the clipboard, in Markdown."""
        if self._loss:
            QGuiApplication.clipboard().setText(self._loss.markdown)


class LossBars(QWidget):
    """A line of words and a bar for each figure; a tick shows where the original is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Bar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_bars(self, bars: tuple[Bar, ...]) -> None:
        self._shown = bars
        self.setAccessibleName("; ".join(f"{bar.name}: {bar.words}" for bar in bars) or "Not measured")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, len(self._shown) * self._step() + 2)

    def _line(self) -> int:
        return QFontMetrics(self._theme.font("small")).height()

    def _step(self) -> int:
        return self._line() + self._theme.scaled(_BAR) + _GAP

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for place, bar in enumerate(self._shown):
            self._paint_bar(painter, QRectF(0, place * self._step() + 2, self.width(), self._line()), bar)

    def _paint_bar(self, painter: QPainter, line: QRectF, bar: Bar) -> None:
        colours = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colours.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, bar.name)
        painter.setPen(colours.text if bar.share is not None else colours.tertiary)
        room = line.adjusted(painter.fontMetrics().horizontalAdvance(f"{bar.name}  "), 0, 0, 0)
        words = painter.fontMetrics().elidedText(bar.words, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight, words)
        height = self._theme.scaled(_BAR)
        ground = QRectF(line.left(), line.bottom() + 2, line.width(), height)
        rounded(painter, ground, height / 2, mixed(colours.window, colours.text, 0.09))
        if bar.share is None:
            return
        part = ground.adjusted(0, 0, -ground.width() * (1 - bar.share), 0)
        part.setWidth(max(part.width(), height))
        rounded(painter, part, height / 2, colours.accent)
        if bar.mark is not None:
            tick = QRectF(ground.left() + bar.mark * ground.width() - 1, ground.top() - 2, 2, height + 4)
            painter.fillRect(tick, colours.secondary)
