"""Quality loss of a quantization as three bars and a sentence, with a link to the Lab."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.library.loss import LossBar, MeasuredLoss, UnknownLoss
from app.views.kit.buttons import LinkButton
from app.views.kit.flow import Flow
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_BAR, _GAP = 5, 8


class LossCard(QWidget):
    """Shows the loss, or why it is unknown; `open` leads to the Lab."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markdown = ""
        self.study = ""
        """Name of a study with the model, or ""."""
        self._bars = LossBars(theme)
        self._sentence = TextLabel(theme, role="small", wraps=True)
        self._method = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._other_results = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.open = LinkButton(theme, "Measure…")
        self.copy_button = LinkButton(theme, "Copy for Model Card")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(TextLabel(theme, "Quality loss", role="small", bold=True))
        column.addWidget(self._sentence)
        column.addWidget(self._bars)
        column.addWidget(self._method)
        column.addWidget(self._other_results)
        column.addWidget(Flow((self.open, self.copy_button)))
        self.copy_button.clicked.connect(self.copy)

    def show_loss(self, loss: MeasuredLoss | UnknownLoss) -> None:
        measured = loss if isinstance(loss, MeasuredLoss) else None
        self._markdown = measured.markdown if measured else ""
        self.study = loss.study
        self._sentence.setText(loss.sentence)
        self._bars.show_bars(measured.bars if measured else ())
        for label, text in (
            (self._method, measured and measured.method),
            (self._other_results, measured and measured.other_results),
        ):
            label.setText(text or "")
            label.setVisible(bool(text))
        for part in (self._bars, self.copy_button):
            part.setVisible(measured is not None)
        self._set_open_text("Open in Lab" if loss.study else "Measure Again…" if measured else "Measure…")

    def _set_open_text(self, text: str) -> None:
        if text != self.open.text():
            self.open.setText(text)
            self.open.setAccessibleName(f"Quality loss: {text}")
            self.open.updateGeometry()

    def copy(self) -> None:
        """Put a section for a model card on the clipboard, in Markdown."""
        if self._markdown:
            QGuiApplication.clipboard().setText(self._markdown)


class LossBars(QWidget):
    """A line of text and a bar for each figure; a tick marks the original."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._loss_bars: tuple[LossBar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_bars(self, bars: tuple[LossBar, ...]) -> None:
        self._loss_bars = bars
        self.setAccessibleName("; ".join(f"{bar.name}: {bar.text}" for bar in bars) or "Not measured")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, len(self._loss_bars) * self._step() + 2)

    def _line(self) -> int:
        return QFontMetrics(self._theme.font("small")).height()

    def _step(self) -> int:
        return self._line() * (1 + self._is_stacked()) + self._theme.scaled(_BAR) + _GAP

    def _is_stacked(self) -> bool:
        """Return True if the values do not fit next to the names and go below them."""
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        return any(metrics.horizontalAdvance(f"{bar.name}   {bar.text}") > self.width() for bar in self._loss_bars)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for index, bar in enumerate(self._loss_bars):
            self._paint_bar(painter, QRectF(0, index * self._step() + 2, self.width(), self._line()), bar)

    def _paint_bar(self, painter: QPainter, line: QRectF, bar: LossBar) -> None:
        colors = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colors.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, bar.name)
        painter.setPen(colors.text if bar.share is not None else colors.tertiary)
        is_stacked = self._is_stacked()
        if is_stacked:
            line.translate(0, self._line())
        text = painter.fontMetrics().elidedText(bar.text, Qt.TextElideMode.ElideRight, int(line.width()))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft if is_stacked else Qt.AlignmentFlag.AlignRight, text)
        height = self._theme.scaled(_BAR)
        track = QRectF(line.left(), line.bottom() + 2, line.width(), height)
        rounded(painter, track, height / 2, mixed(colors.window, colors.text, 0.09))
        if bar.share is None:
            return
        part = track.adjusted(0, 0, -track.width() * (1 - bar.share), 0)
        part.setWidth(max(part.width(), height))
        rounded(painter, part, height / 2, colors.accent)
        if bar.mark is not None:
            tick = QRectF(track.left() + bar.mark * track.width() - 1, track.top() - 2, 2, height + 4)
            painter.fillRect(tick, colors.secondary)
