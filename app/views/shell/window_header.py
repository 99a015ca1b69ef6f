"""The toolbar above the pages: sidebar and new chat, the model or the title of the page, and parameters."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QStackedLayout, QWidget

from app.views.chat.model_picker import ModelPicker
from app.views.kit.buttons import IconButton
from app.views.kit.theme import Theme


class WindowHeader(QWidget):
    """The toolbar. Its buttons trigger actions of the menu bar, passed to `set_actions`."""

    def __init__(self, picker: ModelPicker, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._left, self._right = QWidget(), QWidget()
        self._title = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, textFormat=Qt.TextFormat.PlainText)
        self._middle = QStackedLayout()
        self._middle.addWidget(picker)
        self._middle.addWidget(self._title)
        for side, alignment in (
            (self._left, Qt.AlignmentFlag.AlignLeft),
            (self._right, Qt.AlignmentFlag.AlignRight),
        ):
            side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            side.setMinimumWidth(theme.scaled(80))
            row = QHBoxLayout(side)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(4)
            row.setAlignment(alignment)
        strip = QHBoxLayout(self)
        strip.setContentsMargins(10, 7, 10, 8)
        strip.addWidget(self._left, 1)
        strip.addLayout(self._middle, 0)
        strip.addWidget(self._right, 1)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def show_title(self, title: str) -> None:
        """Show the title in place of the model picker; "" shows the picker again."""
        self._title.setText(title)
        self._middle.setCurrentIndex(1 if title else 0)

    def set_actions(self, sidebar: QAction, new_chat: QAction, parameters: QAction) -> None:
        """Add a button for each action."""
        for action, icon, side in (
            (sidebar, "sidebar", self._left),
            (new_chat, "compose", self._left),
            (parameters, "parameters", self._right),
        ):
            button = IconButton(self._theme, icon, "")
            button.set_name(action.text(), action.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
            button.clicked.connect(action.trigger)
            action.enabledChanged.connect(button.setVisible)
            row = side.layout()
            assert row is not None  # noqa: S101 - made in the constructor
            row.addWidget(button)

    def _apply_theme(self) -> None:
        self._title.setFont(self._theme.font("heading"))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        painter = QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        painter.fillRect(0, self.height() - 1, self.width(), 1, colors.border)
