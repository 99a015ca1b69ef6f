"""Full-page view of a model card."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.views.kit.buttons import IconButton
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.card_text import CardText


class CardPage(VerticalScrollArea):
    """Shows a model card; `closed` returns to the table."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Model card", parent)
        self.back = IconButton(theme, "chevron-left", "Back")
        self.back.clicked.connect(self.closed)
        self._name = TextLabel(theme, role="heading")
        self._card = CardText(theme)
        heading = QHBoxLayout()
        heading.setSpacing(10)
        heading.addWidget(self.back)
        heading.addWidget(self._name, 1)
        self.column.setSpacing(12)
        self.column.addLayout(heading)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._card, 1000)
        middle.addStretch(1)
        self.column.addLayout(middle)
        self.column.addStretch(1)
        self._theme = theme
        theme.changed.connect(self._fit)
        self._fit()

    def show_card(self, name: str, card: str) -> None:
        """Show the card `card`, Markdown, of the model `name`, from the top."""
        self._name.setText(name)
        self._card.show_card(card)
        self.verticalScrollBar().setValue(0)
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit(self) -> None:
        self._card.setMaximumWidth(self._theme.reading_width)
