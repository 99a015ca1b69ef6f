"""A form of declared fields that emits every edit at once."""

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QLabel, QPlainTextEdit, QWidget

from app.domain.settings import Field
from app.views.kit.fields.editors import editor_for
from app.views.kit.theme import Theme

_LINES = 4
"""Height of the editor of a multiline text."""


class FieldForm(QWidget):
    """A label and an editor for each field, with the field's explanation below."""

    edited = Signal(str, object)  # name, value

    def __init__(self, fields: Iterable[Field], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._editors: dict[str, Any] = {}
        self._fields = {field.name: field for field in fields}
        self._sentences: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        self._grid.setVerticalSpacing(4)
        for field in self._fields.values():
            self._add(field)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def set_value(self, name: str, value: Any) -> None:
        """Show the value without emitting `edited`."""
        editor = self._editors[name]
        with QSignalBlocker(editor):
            editor.set_value(value)

    def set_note(self, name: str, note: str, *, is_enabled: bool = True) -> None:
        """Add a note to the explanation of the field, "" for none, and enable or disable its editor."""
        sentence, editor = self._sentences[name], self._editors[name]
        sentence.setText(f"{self._fields[name].sentence} {note}".strip())
        sentence.setVisible(bool(sentence.text()))
        editor.setEnabled(is_enabled)
        editor.setAccessibleDescription(sentence.text())

    def _add(self, field: Field) -> None:
        editor = self._editors[field.name] = editor_for(field)
        editor.setAccessibleName(field.label)
        editor.setAccessibleDescription(field.sentence)
        editor.edited.connect(lambda: self.edited.emit(field.name, editor.value()))
        label = QLabel(field.label, wordWrap=True)
        label.setBuddy(editor)
        row = self._grid.rowCount()
        is_tall = isinstance(editor, QPlainTextEdit)
        self._grid.addWidget(label, row, 0, 1, 2 if is_tall else 1)
        if is_tall:
            self._grid.addWidget(editor, row + 1, 0, 1, 2)
        else:
            self._grid.addWidget(editor, row, 1, Qt.AlignmentFlag.AlignRight)
        sentence = QLabel(field.sentence, wordWrap=True)
        sentence.setVisible(bool(field.sentence))
        self._sentences[field.name] = sentence
        self._grid.addWidget(sentence, row + 2, 0, 1, 2)
        self._grid.setRowMinimumHeight(row + 3, 8)

    def _apply_theme(self) -> None:
        height = _LINES * QFontMetrics(self._theme.font("label")).lineSpacing() + 12
        for editor in self._editors.values():
            editor.setFont(self._theme.font("label", tabular=True))
            if isinstance(editor, QPlainTextEdit):
                editor.setFixedHeight(height)
        for sentence in self._sentences.values():
            sentence.setFont(self._theme.font("small"))
            palette = sentence.palette()
            palette.setColor(palette.ColorRole.WindowText, self._theme.palette.secondary)
            sentence.setPalette(palette)
