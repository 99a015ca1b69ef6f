"""Editors for declared fields, one per kind. Each has `value`, `set_value` and the signal `edited`."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QPlainTextEdit, QWidget

from app.domain.settings import Field


class FieldEditor(Protocol):
    edited: SignalInstance

    def value(self) -> Any: ...
    def set_value(self, value: Any) -> None: ...


class NumberEditor(QDoubleSpinBox):
    """A number, or None if the field is optional. The wheel scrolls the page unless the editor has the focus."""

    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._is_whole = field.kind == "integer"
        self._optional = field.optional
        step = 1.0 if self._is_whole else 0.05
        minimum, maximum = field.minimum or 0.0, field.maximum or 1e9
        self.setDecimals(0 if self._is_whole else 2)
        self.setSingleStep(step)
        if self._is_whole and maximum > 1000:
            self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        if field.optional:
            minimum -= step
            self.setSpecialValueText("Not set")
        elif field.open_minimum:
            minimum += 0.01
        self.setRange(minimum, maximum)
        self.setSuffix(f" {field.unit}" if field.unit else "")
        self.setKeyboardTracking(False)
        self.valueChanged.connect(self.edited)

    def value(self) -> Any:
        number = super().value()
        if self._optional and number == self.minimum():
            return None
        return int(number) if self._is_whole else number

    def set_value(self, value: float | None) -> None:
        self.setValue(self.minimum() if value is None else value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceEditor(QComboBox):
    edited = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__()
        for choice in field.choices:
            self.addItem(choice.capitalize(), choice)
        self.activated.connect(self.edited)

    def value(self) -> Any:
        return self.currentData()

    def set_value(self, value: Any) -> None:
        self.setCurrentIndex(self.findData(value))


class SwitchEditor(QCheckBox):
    edited = Signal()

    def __init__(self, _field: Field) -> None:
        super().__init__()
        self.clicked.connect(self.edited)

    def value(self) -> Any:
        return self.isChecked()

    def set_value(self, value: Any) -> None:
        self.setChecked(value)


class LineEditor(QLineEdit):
    edited = Signal()

    def __init__(self, _field: Field) -> None:
        super().__init__()
        self.textEdited.connect(self.edited)

    def value(self) -> Any:
        return self.text()

    def set_value(self, value: Any) -> None:
        if value != self.text():
            self.setText(value)


class TextEditor(QPlainTextEdit):
    """Several lines of plain text."""

    edited = Signal()

    def __init__(self, _field: Field) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.textChanged.connect(self.edited)

    def value(self) -> Any:
        return self.toPlainText()

    def set_value(self, value: Any) -> None:
        if value != self.value():
            self.setPlainText(value)


class TextListEditor(TextEditor):
    r"""A tuple of texts, one per line. A line break within a text is written \n."""

    def value(self) -> Any:
        lines = self.toPlainText().splitlines()
        return tuple(line.replace("\\n", "\n") for line in lines if line)

    def set_value(self, value: Any) -> None:
        if tuple(value) != self.value():
            self.setPlainText("\n".join(text.replace("\n", "\\n") for text in value))


_EDITORS: Mapping[str, Callable[[Field], QWidget]] = {
    "choice": ChoiceEditor,
    "integer": NumberEditor,
    "number": NumberEditor,
    "switch": SwitchEditor,
    "texts": TextListEditor,
}


def editor_for(field: Field) -> Any:
    """Return a new editor for the field: a widget that implements `FieldEditor`."""
    if field.kind == "text":
        return TextEditor(field) if field.multiline else LineEditor(field)
    return _EDITORS[field.kind](field)
