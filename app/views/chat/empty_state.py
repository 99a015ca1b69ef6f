"""Placeholder of a new conversation: the model in plain words, and a few suggested questions."""

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


class DescribedModel(Protocol):
    """The properties of a model in the introduction."""

    name: str
    parameters: int
    size_bytes: int


class _QuestionCard(TextButton):
    """A button with a left-aligned question on up to two lines."""

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(self.theme.scaled(240), 2 * metrics.lineSpacing() + 20)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, area = self.theme.palette, QRectF(self.rect())
        painter = QPainter(self)
        rounded(painter, area, 12, colors.bubble if self._is_lit() else colors.surface, colors.border)
        if self.hasFocus():
            focus_ring(painter, area, 12, colors.accent)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.text if self.isEnabled() else colors.tertiary)
        inside = self.rect().adjusted(14, 8, -14, -8)
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, self.text())


class EmptyState(QWidget):
    """Emits `question_chosen` with the text of a suggested question."""

    question_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._line = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._line.setTextFormat(Qt.TextFormat.PlainText)
        self._cards = [_QuestionCard(theme, question) for question in QUESTIONS]
        self._lay_out()
        for card in self._cards:
            card.clicked.connect(lambda _checked=False, card=card: self.question_chosen.emit(card.text()))
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

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

    def show_model(self, model: DescribedModel | None) -> None:
        """Show the introduction of a model, or a hint if there is none."""
        self._title.setText("What would you like to know?" if model else "No models yet")
        self._line.setText(
            introduction(model)
            if model
            else "Download a model in Discover, or add one in MLX format to the models folder."
        )
        for card in self._cards:
            card.setVisible(model is not None)

    def show_preparation(self, title: str, line: str) -> None:
        """Show the preparation of the starter model."""
        self._title.setText(title)
        self._line.setText(line)

    def _apply_theme(self) -> None:
        self._title.setFont(self._theme.font("title"))
        self._line.setFont(self._theme.font("label"))
        palette = self._line.palette()
        palette.setColor(palette.ColorRole.WindowText, self._theme.palette.secondary)
        self._line.setPalette(palette)
        self._arrange()

    def _arrange(self) -> None:
        """Arrange the questions in two columns if they fit."""
        self._column.setMaximumWidth(self._theme.scaled(560))
        columns = 2 if self.width() - 2 * _SIDE >= self._theme.scaled(420) else 1
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)
        for number, card in enumerate(self._cards):
            self._grid.addWidget(card, number // columns, number % columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()


def introduction(model: DescribedModel) -> str:
    """Return a sentence about the model and its quality."""
    kind = next((kind for bound, kind in _SIZES if model.parameters < bound), "A very large model")
    caution = ": fast, but often wrong" if model.parameters < _SIZES[0][0] else ""
    size = format_disk(model.size_bytes)
    return f"{model.name} runs on this Mac, and nothing leaves it. {kind} ({size}){caution}."
