"""Pairs of a name and a value below a heading."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

Pairs = Sequence[tuple[str, str]]


class Facts(QWidget):
    """A table of names and values, hidden while it is empty. A value may take several lines."""

    def __init__(
        self, theme: Theme, heading: str = "", *, on_right: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._on_right = theme, on_right
        self._rows: list[tuple[TextLabel, TextLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0 if on_right else 1, 1)
        if heading:
            self._grid.addWidget(TextLabel(theme, heading, role="small", bold=True), 0, 0, 1, 2)

    def show_pairs(self, pairs: Pairs) -> None:
        while len(self._rows) < len(pairs):
            self._add_row()
        for number, (name, value) in enumerate(self._rows):
            name.setVisible(number < len(pairs))
            value.setVisible(number < len(pairs))
            if number < len(pairs):
                name.setText(breakable(pairs[number][0]))
                value.setText(pairs[number][1])
        self.setVisible(bool(pairs))

    def _add_row(self) -> None:
        name = TextLabel(self._theme, role="small", tone="text" if self._on_right else "secondary", wraps=True)
        value = TextLabel(self._theme, role="small", tone="secondary" if self._on_right else "text", wraps=True)
        value.setMinimumWidth(self._theme.scaled(60))
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = self._grid.rowCount()
        side = Qt.AlignmentFlag.AlignRight if self._on_right else Qt.AlignmentFlag.AlignLeft
        value.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._rows.append((name, value))


def breakable(text: str) -> str:
    """Return a long file name with a zero-width space after each separator, so that it can wrap."""
    return "".join(f"{letter}\N{ZERO WIDTH SPACE}" if letter in "/_-." else letter for letter in text)
