"""The line under a message: its figures, what can be done with it, and its versions."""

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.chat.chat import MessageItem
from app.views.kit.buttons import IconButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from app.views.transcript.figures import in_words, line

_GAP = 2
_COPIED_MS = 1_500


class QuietButton(IconButton):
    """A small button that shows itself only while its message is lit, or while it has the focus."""

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget) -> None:
        super().__init__(theme, icon, name, parent)
        self._is_shown = False
        self._name = icon

    def set_icon(self, icon: str) -> None:
        self._name = icon
        super().set_icon(icon)

    def light(self, *, on: bool) -> None:
        """Show or hide the drawing; the button can be reached either way."""
        self._is_shown = on
        self.update()

    def sizeHint(self) -> QSize:
        side = self.theme.scaled(16) + 11
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not (self._is_shown or self.hasFocus()):
            return
        colours = self.theme.palette
        painter = QPainter(self)
        area = self.rect()
        if self.isEnabled() and (self.underMouse() or self.isDown()):
            rounded(painter, area.toRectF(), 6, colours.hover)
        if self.hasFocus():
            focus_ring(painter, area.toRectF(), 6, colours.accent)
        side = self.theme.scaled(16)
        colour = colours.secondary if self.isEnabled() else colours.border
        image = pixmap(self._name, side=side, scale=self.devicePixelRatioF(), color=colour)
        painter.drawPixmap((area.width() - side) // 2, (area.height() - side) // 2, image)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()


class Footer(QWidget):
    """Shows one MessageItem's figures and actions. The person's own messages have theirs at the right."""

    copy_clicked = Signal()
    regenerate_clicked = Signal()
    edit_clicked = Signal()
    branch_clicked = Signal(int)

    def __init__(self, theme: Theme, item: MessageItem, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._item = item
        self._is_own = item.message.role == "user"
        self._figures = ""
        self._copy = QuietButton(theme, "copy", "Copy message", self)
        self._change = (
            QuietButton(theme, "edit", "Edit message", self)
            if self._is_own
            else QuietButton(theme, "regenerate", "Answer again", self)
        )
        self._previous = QuietButton(theme, "chevron-left", "Previous version", self)
        self._next = QuietButton(theme, "chevron-right", "Next version", self)
        self._back = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._back.timeout.connect(lambda: self._copy.set_icon("copy"))
        self._copy.clicked.connect(self._copied)
        self._change.clicked.connect(self.edit_clicked if self._is_own else self.regenerate_clicked)
        self._previous.clicked.connect(lambda: self.branch_clicked.emit(-1))
        self._next.clicked.connect(lambda: self.branch_clicked.emit(1))
        self.set_item(item)

    def set_item(self, item: MessageItem) -> None:
        self._item = item
        statistics = item.message.statistics
        self._figures = line(statistics) if statistics else ""
        words = in_words(statistics, item.message.model) if statistics else ""
        self.setToolTip(plain(words))
        self.setAccessibleName(self._figures or "Message actions")
        self.setAccessibleDescription(words)
        for button, is_useful in ((self._previous, item.branch > 1), (self._next, item.branch < item.branches)):
            button.setVisible(item.branches > 1)
            button.setEnabled(is_useful)
            button.light(on=True)
        self._arrange()
        self.update()

    def light(self, *, on: bool) -> None:
        """Show or hide the actions."""
        self._copy.light(on=on)
        self._change.light(on=on)

    def set_busy(self, *, busy: bool) -> None:
        """Let nothing be changed while an answer is being written."""
        self._change.setEnabled(not busy)
        self._previous.setEnabled(not busy and self._item.branch > 1)
        self._next.setEnabled(not busy and self._item.branch < self._item.branches)

    def take_focus(self) -> None:
        """Give the keyboard to the button that changes the message."""
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
        room = QRect(0, 0, self.width() - self._taken(), self.height())
        shown = painter.fontMetrics().elidedText(self._figures, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if self._item.branches > 1:
            painter.drawText(self._version_area(), Qt.AlignmentFlag.AlignCenter, self._version())

    def _copied(self) -> None:
        QGuiApplication.clipboard().setText(self._item.message.text)
        self._copy.set_icon("check")
        self._back.start()
        self.copy_clicked.emit()

    def _version(self) -> str:
        return f"{self._item.branch}/{self._item.branches}"

    def _version_area(self) -> QRect:
        left = self._previous.geometry().right() + 1
        return QRect(left, 0, self._next.x() - left, self.height())

    def _taken(self) -> int:
        """Return the pixels that the actions take."""
        side = self._copy.sizeHint().width() + _GAP
        versions = 2 * side + self._version_width() if self._item.branches > 1 else 0
        return 2 * side + versions + 8

    def _version_width(self) -> int:
        return QFontMetrics(self._theme.font("small", tabular=True)).horizontalAdvance(self._version()) + 6

    def _arrange(self) -> None:
        side = self._copy.sizeHint()
        left = self.width() - self._taken() + 8
        if not self._is_own:
            text = QFontMetrics(self._theme.font("small", tabular=True)).horizontalAdvance(self._figures)
            left = min(left, text + 8 if text else -5)
        versions = (self._previous, self._next) if self._item.branches > 1 else ()
        actions = (self._copy, self._change)
        for button in (*actions, *versions) if self._is_own else (*versions, *actions):
            button.setGeometry(QRect(left, 1, side.width(), side.height()))
            left += side.width() + _GAP + (self._version_width() if button is self._previous else 0)
