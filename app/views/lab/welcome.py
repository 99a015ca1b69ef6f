"""Welcome of the Lab, shown while there are no studies."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.views.kit.controls import FilledButton
from app.views.kit.grid import CardGrid, VerticalScrollArea
from app.views.kit.icons import pixmap
from app.views.kit.painting import rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_TITLE = "What does each quantization cost?"
_SENTENCE = "Find the best version of a model for your Mac, and see what it loses compared with the original."
_STEPS = (
    ("1  Choose an original", "The most precise version you have. Facet runs it once and saves its predictions."),
    ("2  Select what to compare", "Models on this Mac, or recipes with which Facet converts the original."),
    ("3  See the results", "Quality loss, speed and memory of each model, as soon as it is measured."),
)
_STEP_WIDTH = 190
_WIDTH = 760


class LabWelcome(VerticalScrollArea):
    """Explains the Lab; `started` requests a new study."""

    started = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Lab", parent)
        self._theme = theme
        self._symbol = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.button = FilledButton(theme, "New Study")
        self._steps = CardGrid(theme, _STEP_WIDTH)
        self._steps.show_cards([_Step(theme, title, sentence) for title, sentence in _STEPS])
        self._lay_out()
        self.button.clicked.connect(self.started)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def _lay_out(self) -> None:
        column, center = self.column, Qt.AlignmentFlag.AlignHCenter
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._symbol)
        for label in (
            TextLabel(self._theme, _TITLE, role="heading", wraps=True),
            TextLabel(self._theme, _SENTENCE, tone="secondary", wraps=True),
        ):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addSpacing(10)
        column.addWidget(self._steps, 0)
        column.addSpacing(10)
        column.addWidget(self.button, 0, center)
        column.addStretch(3)

    def _apply_theme(self) -> None:
        scaled = self._theme.scaled
        self._symbol.setPixmap(
            pixmap("lab", side=scaled(36), scale=self.devicePixelRatioF(), color=self._theme.palette.tertiary)
        )
        self.inside.setMaximumWidth(scaled(_WIDTH))
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)


class _Step(QWidget):
    def __init__(self, theme: Theme, title: str, sentence: str) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(3)
        column.addWidget(TextLabel(theme, title, bold=True))
        column.addWidget(TextLabel(theme, sentence, role="small", tone="secondary", wraps=True))
        column.addStretch(1)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 10, colors.surface, colors.border)
