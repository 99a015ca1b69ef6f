"""Placeholder for an empty page: loading, no results, or an error."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from app.views.kit.buttons import TextButton
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.icons import pixmap
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class Placeholder(VerticalScrollArea):
    """An icon, a title, a sentence and buttons for up to two actions."""

    action_chosen = Signal(str)  # the text of the button

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Message", parent)
        self._theme = theme
        self._icon = ""
        self._symbol = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._sentence = TextLabel(theme, tone="secondary", wraps=True)
        for label in (self._title, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._waiting = QProgressBar(textVisible=False, maximum=0)
        self._waiting.setAccessibleName("Loading")
        self._buttons = QHBoxLayout()
        self._lay_out()
        theme.changed.connect(self._apply_theme)

    def _lay_out(self) -> None:
        column = self.column
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(self._symbol)
        column.addWidget(self._title)
        column.addWidget(self._sentence)
        column.addWidget(self._waiting, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(6)
        row = QHBoxLayout()
        row.addStretch()
        row.addLayout(self._buttons)
        row.addStretch()
        column.addLayout(row)
        column.addStretch(3)

    def show_message(
        self, title: str, sentence: str = "", *, icon: str = "", is_waiting: bool = False, actions: tuple[str, ...] = ()
    ) -> None:
        self._icon = icon
        self._title.setText(title)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._waiting.setVisible(is_waiting)
        while item := self._buttons.takeAt(0):
            if button := item.widget():
                button.hide()
                button.deleteLater()
        for text in actions:
            button = TextButton(self._theme, text)
            button.clicked.connect(lambda _checked=False, text=text: self.action_chosen.emit(text))
            self._buttons.addWidget(button)
        self._apply_theme()

    def _apply_theme(self) -> None:
        self._waiting.setFixedSize(self._theme.scaled(180), 4)
        self._symbol.setVisible(bool(self._icon))
        if self._icon:
            color = self._theme.palette.tertiary
            side = self._theme.scaled(36)
            self._symbol.setPixmap(pixmap(self._icon, side=side, scale=self.devicePixelRatioF(), color=color))
