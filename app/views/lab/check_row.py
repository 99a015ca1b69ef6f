"""A row with a check box, for a model or a recipe."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.views.kit.controls import CheckBox
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class CheckRow(QWidget):
    """A click anywhere on the row toggles the check box."""

    toggled = Signal(str, bool)  # the name, whether it is checked

    def __init__(self, theme: Theme, name: str, title: str, purpose: str, figures: str) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.check_box = CheckBox(theme, f"{title}, {figures}")
        text = QVBoxLayout()
        text.setSpacing(1)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(TextLabel(theme, title, bold=True), 1)
        if purpose:
            head.addWidget(TextLabel(theme, figures, role="small", tone="secondary"))
        text.addLayout(head)
        text.addWidget(TextLabel(theme, purpose or figures, role="small", tone="secondary", wraps=True))
        text.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 12, 7)
        row.setSpacing(10)
        row.addWidget(self.check_box)
        row.addLayout(text, 1)
        self.check_box.toggled.connect(lambda checked: self.toggled.emit(name, checked))
        self.check_box.toggled.connect(self.update)
        theme.changed.connect(self.update)

    def set_checked(self, *, checked: bool) -> None:
        self.check_box.setChecked(checked)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.check_box.click()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, is_checked = self._theme.palette, self.check_box.isChecked()
        fill = mixed(colors.surface, colors.accent, 0.06) if is_checked else colors.surface
        rounded(QPainter(self), QRectF(self.rect()), 9, fill, colors.accent if is_checked else colors.border)
