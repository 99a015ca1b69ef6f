"""What a new conversation shows: who answers, in plain words, and a few questions to begin with."""

from typing import Protocol

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.views.kit.buttons import TextButton
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_disk

QUESTIONS = (
    "Explain to a child why the sky is blue",
    "Give me three ideas for a quick dinner",
    "Write a short poem about the sea",
    "How do I reverse a list in Python?",
)

_SIDE = 24
_SIZES = ((1e9, "A very small model"), (4e9, "A small model"), (15e9, "A medium-sized model"), (70e9, "A large model"))


class Described(Protocol):
    """What is told of a model."""

    name: str
    parameters: int
    size_bytes: int


class _QuestionCard(TextButton):
    """A question over up to two lines, from the left."""

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(self.theme.scaled(240), 2 * metrics.lineSpacing() + 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, area = self.theme.palette, QRectF(self.rect())
        painter = QPainter(self)
        rounded(painter, area, 12, colours.bubble if self._is_lit() else colours.surface, colours.border)
        if self.hasFocus():
            focus_ring(painter, area, 12, colours.accent)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colours.text if self.isEnabled() else colours.tertiary)
        inside = self.rect().adjusted(14, 8, -14, -8)
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self.text())


class EmptyState(QWidget):
    """Emits `asked` with the question that was pressed."""

    asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._line = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._line.setTextFormat(Qt.TextFormat.PlainText)
        self._cards = [_QuestionCard(theme, question) for question in QUESTIONS]
        self._lay_out()
        for card in self._cards:
            card.clicked.connect(lambda _checked=False, card=card: self.asked.emit(card.text()))
        theme.changed.connect(self._dress)
        self._dress()

    def _lay_out(self) -> None:
        self._column = QWidget()
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        inside = QVBoxLayout(self._column)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(10)
        inside.addWidget(self._title)
        inside.addWidget(self._line)
        inside.addSpacing(18)
        inside.addLayout(self._grid)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._column, 1000)
        middle.addStretch(1)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(_SIDE, 12, _SIDE, 12)
        outside.addStretch(2)
        outside.addLayout(middle)
        outside.addStretch(3)

    def show_model(self, model: Described | None) -> None:
        """Say who answers."""
        self._title.setText("What would you like to know?" if model else "There is no model yet")
        self._line.setText(introduction(model) if model else "Put a model in MLX format into the models folder.")
        for card in self._cards:
            card.setVisible(model is not None)

    def show_preparation(self, title: str, line: str) -> None:
        """Say what has to be waited for before anybody answers."""
        self._title.setText(title)
        self._line.setText(line)

    def _dress(self) -> None:
        self._title.setFont(self._theme.font("title"))
        self._line.setFont(self._theme.font("label"))
        palette = self._line.palette()
        palette.setColor(palette.ColorRole.WindowText, self._theme.palette.secondary)
        self._line.setPalette(palette)
        self._arrange()

    def _arrange(self) -> None:
        """Put the questions side by side where there is room for two."""
        self._column.setMaximumWidth(self._theme.scaled(560))
        columns = 2 if self.width() - 2 * _SIDE >= self._theme.scaled(420) else 1
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)
        for place, card in enumerate(self._cards):
            self._grid.addWidget(card, place // columns, place % columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


def introduction(model: Described) -> str:
    """Return who answers and what to expect, in plain words."""
    kind = next((words for bound, words in _SIZES if model.parameters < bound), "A very large model")
    caution = ": quick, but often wrong" if model.parameters < _SIZES[0][0] else ""
    size = format_disk(model.size_bytes)
    return f"{model.name} answers on this computer, and nothing leaves it. {kind} ({size}){caution}."
