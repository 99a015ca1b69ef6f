"""What a quantization has lost, as three bars and a sentence; and the way to the Lab, where it is measured."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.library.loss import Loss, LossBar, NotMeasured
from app.views.kit.buttons import LinkButton
from app.views.kit.flow import Flow
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_BAR, _GAP = 5, 8


class LossCard(QWidget):
    """Shows what was lost, or why it is not known; `open` leads to the Lab."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markdown = ""
        self.study = ""
        """The name of a study that has the model, "" for none."""
        self._bars = LossBars(theme)
        self._sentence = TextLabel(theme, role="small", wraps=True)
        self._how = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._others = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.open = LinkButton(theme, "Measure…")
        self.copy_button = LinkButton(theme, "Copy for a model card")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(TextLabel(theme, "What did I lose?", role="small", bold=True))
        column.addWidget(self._sentence)
        column.addWidget(self._bars)
        column.addWidget(self._how)
        column.addWidget(self._others)
        column.addWidget(Flow((self.open, self.copy_button)))
        self.copy_button.clicked.connect(self.copy)

    def show_loss(self, loss: Loss | NotMeasured) -> None:
        found = loss if isinstance(loss, Loss) else None
        self._markdown = found.markdown if found else ""
        self.study = loss.study
        self._sentence.setText(loss.sentence)
        self._bars.show_bars(found.bars if found else ())
        for words, text in ((self._how, found and found.how), (self._others, found and found.others)):
            words.setText(text or "")
            words.setVisible(bool(text))
        for part in (self._bars, self.copy_button):
            part.setVisible(found is not None)
        self._offer("Open in the Lab" if loss.study else "Measure Again…" if found else "Measure…")

    def _offer(self, words: str) -> None:
        if words != self.open.text():
            self.open.setText(words)
            self.open.setAccessibleName(f"What was lost: {words}")
            self.open.updateGeometry()

    def copy(self) -> None:
        """Put a section for a model card on the clipboard, in Markdown."""
        if self._markdown:
            QGuiApplication.clipboard().setText(self._markdown)


class LossBars(QWidget):
    """A line of words and a bar for each figure; a tick shows where the original is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[LossBar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_bars(self, bars: tuple[LossBar, ...]) -> None:
        self._shown = bars
        self.setAccessibleName("; ".join(f"{bar.name}: {bar.words}" for bar in bars) or "Not measured")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, len(self._shown) * self._step() + 2)

    def _line(self) -> int:
        return QFontMetrics(self._theme.font("small")).height()

    def _step(self) -> int:
        return self._line() * (1 + self._is_stacked()) + self._theme.scaled(_BAR) + _GAP

    def _is_stacked(self) -> bool:
        """Tell whether the words have no room beside the names, and stand below them."""
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        return any(metrics.horizontalAdvance(f"{bar.name}   {bar.words}") > self.width() for bar in self._shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for place, bar in enumerate(self._shown):
            self._paint_bar(painter, QRectF(0, place * self._step() + 2, self.width(), self._line()), bar)

    def _paint_bar(self, painter: QPainter, line: QRectF, bar: LossBar) -> None:
        colors = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colors.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, bar.name)
        painter.setPen(colors.text if bar.share is not None else colors.tertiary)
        is_stacked = self._is_stacked()
        if is_stacked:
            line.translate(0, self._line())
        words = painter.fontMetrics().elidedText(bar.words, Qt.TextElideMode.ElideRight, int(line.width()))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft if is_stacked else Qt.AlignmentFlag.AlignRight, words)
        height = self._theme.scaled(_BAR)
        ground = QRectF(line.left(), line.bottom() + 2, line.width(), height)
        rounded(painter, ground, height / 2, mixed(colors.window, colors.text, 0.09))
        if bar.share is None:
            return
        part = ground.adjusted(0, 0, -ground.width() * (1 - bar.share), 0)
        part.setWidth(max(part.width(), height))
        rounded(painter, part, height / 2, colors.accent)
        if bar.mark is not None:
            tick = QRectF(ground.left() + bar.mark * ground.width() - 1, ground.top() - 2, 2, height + 4)
            painter.fillRect(tick, colors.secondary)
