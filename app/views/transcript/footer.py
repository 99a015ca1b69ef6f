"""The line below a message: its figures, its actions and its versions."""

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.chat.chat import MessageItem
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from app.views.transcript.answer_figures import details, summary
from app.views.transcript.quiet_button import QuietButton
from app.views.transcript.version_switch import VersionSwitch

_GAP = 2
_COPIED_MS = 1_500


class Footer(QWidget):
    """Shows the figures and actions of one MessageItem. Those of a user's message are on the right."""

    regenerate_clicked = Signal()
    edit_clicked = Signal()
    branch_clicked = Signal(int)

    def __init__(self, theme: Theme, item: MessageItem, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._item = item
        self._is_user = item.message.role == "user"
        self._figures = ""
        self._copy = QuietButton(theme, "copy", "Copy message", self)
        self._change = (
            QuietButton(theme, "edit", "Edit message", self)
            if self._is_user
            else QuietButton(theme, "regenerate", "Regenerate answer", self)
        )
        self._versions: VersionSwitch | None = None
        self._copy_icon_timer = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copy_icon_timer.timeout.connect(lambda: self._copy.set_icon("copy"))
        self._copy.clicked.connect(self._copy_message)
        self._change.clicked.connect(self.edit_clicked if self._is_user else self.regenerate_clicked)
        self.set_item(item)

    def set_item(self, item: MessageItem) -> None:
        self._item = item
        statistics = item.message.statistics
        self._figures = summary(statistics) if statistics else ""
        description = details(statistics, item.message.model) if statistics else ""
        self.setToolTip(plain(description))
        self.setAccessibleName(self._figures or "Message actions")
        self.setAccessibleDescription(description)
        self._show_versions()
        self._arrange()
        self.update()

    def set_lit(self, *, is_lit: bool) -> None:
        """Show or hide the actions."""
        self._copy.set_lit(is_lit=is_lit)
        self._change.set_lit(is_lit=is_lit)

    def set_busy(self, *, busy: bool) -> None:
        """Disable changes while an answer is being written."""
        self._change.setEnabled(not busy)
        if self._versions is not None:
            self._versions.set_busy(busy=busy)

    def focus_change_button(self) -> None:
        """Give the keyboard focus to the button that changes the message."""
        self._change.setFocus()

    def height_for(self, width: int) -> int:
        height = self._copy.sizeHint().height() + 2
        self.resize(width, height)
        self._arrange()
        return height

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(self._theme.palette.secondary)
        area = QRect(0, 0, self.width() - self._actions_width(), self.height())
        text = painter.fontMetrics().elidedText(self._figures, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)

    def _show_versions(self) -> None:
        count = self._item.branches
        if self._versions is None and count > 1:
            self._versions = VersionSwitch(self._theme, self)
            self._versions.switched.connect(self.branch_clicked)
        if self._versions is not None:
            self._versions.set_version(self._item.branch, count)
            self._versions.set_busy(busy=False)
            self._versions.setVisible(count > 1)

    def _copy_message(self) -> None:
        QGuiApplication.clipboard().setText(self._item.message.text)
        self._copy.set_icon("check")
        self._copy_icon_timer.start()

    def _actions(self) -> list[QWidget]:
        versions = [self._versions] if self._versions is not None and self._item.branches > 1 else []
        actions = [self._copy, self._change]
        return [*actions, *versions] if self._is_user else [*versions, *actions]

    def _actions_width(self) -> int:
        return sum(part.sizeHint().width() + _GAP for part in self._actions()) + 8

    def _arrange(self) -> None:
        x = self.width() - self._actions_width() + 8
        if not self._is_user:
            width = QFontMetrics(self._theme.font("small", tabular=True)).horizontalAdvance(self._figures)
            x = min(x, width + 8 if width else -5)
        for part in self._actions():
            size = part.sizeHint()
            part.setGeometry(QRect(x, 1, size.width(), size.height()))
            x += size.width() + _GAP
        if self._versions is not None:
            self._versions.arrange()
