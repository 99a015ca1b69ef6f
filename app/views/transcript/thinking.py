"""The thinking before an answer: open while the model thinks, folded afterwards."""

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme
from app.views.transcript.block_view import BlockView
from app.views.transcript.services import TranscriptServices
from mlx_engine.amounts import format_duration

_INDENT = 18


class _Header(QAbstractButton):
    """The clickable header: a label, and an arrow that points down while the section is open."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._theme.font("label"))
        return QSize(metrics.horizontalAdvance(self.text()) + _INDENT + 10, metrics.height() + 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 5, colors.accent)
        color = colors.text if self.underMouse() else colors.secondary
        painter.setPen(QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.translate(6, self.height() / 2)
        painter.rotate(90 if self.isChecked() else 0)
        painter.drawPolyline(QPolygonF([QPointF(-2, -4), QPointF(2, 0), QPointF(-2, 4)]))
        painter.resetTransform()
        painter.setFont(self._theme.font("label", tabular=True))
        painter.drawText(self.rect().adjusted(_INDENT, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())


class Thinking(QWidget):
    """Shows the thinking of one answer. The text is laid out when it is first opened."""

    resized = Signal()
    link_clicked = Signal(str)
    selected = Signal(object)

    def __init__(self, services: TranscriptServices, parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self._text = ""
        self._body: BlockView | None = None
        self._header = _Header(services.theme, self)
        self._header.toggled.connect(self._open)
        self.set_time(0.0)

    @property
    def text(self) -> str:
        return self._text

    @property
    def is_open(self) -> bool:
        return self._header.isChecked()

    def append(self, text: str) -> None:
        self._text += text
        if self._body is not None:
            self._body.append(text)

    def set_text(self, text: str) -> None:
        """Replace the text."""
        if text.startswith(self._text):
            self.append(text[len(self._text) :])
            return
        self._text = text
        if self._body is not None:
            self._body.clear()
            self._body.append(text)

    def set_open(self, *, is_open: bool) -> None:
        self._header.setChecked(is_open)

    def set_time(self, seconds: float) -> None:
        """Show the duration; 0 means that the model is still thinking."""
        self._header.setText(f"Thought for {format_duration(seconds)}" if seconds else "Thinking…")
        self._header.setAccessibleName(self._header.text())
        self.update()

    def restyle(self) -> None:
        if self._body is not None:
            self._body.restyle()

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        size = self._header.sizeHint()
        self._header.setGeometry(QRect(0, 0, min(size.width(), width), size.height()))
        if self._body is None or not self.is_open:
            return size.height()
        available = max(width - _INDENT, 40)
        height = self._body.height_for(available)
        self._body.setGeometry(_INDENT, size.height() + 6, available, height)
        return size.height() + 6 + height

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._body is not None and self.is_open:
            bar = QRectF(5, self._body.y(), 2, self._body.height())
            rounded(QPainter(self), bar, 1, self._services.theme.palette.border)

    def _open(self, is_open: bool) -> None:
        if is_open and self._body is None:
            self._body = BlockView(self._services, self._services.markdown, self, tone="secondary", name="Thinking")
            self._body.reflowed.connect(self.resized)
            self._body.link_clicked.connect(self.link_clicked)
            self._body.selected.connect(self.selected)
            self._body.append(self._text)
        if self._body is not None:
            self._body.setVisible(is_open)
        self.resized.emit()
