"""Notifications that do not interrupt the user: the service that posts them, and the banner that shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app.views.kit.buttons import IconButton, TextButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme

_SHOWN_MS = 8_000
"""Time until a notification hides, unless it stays."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to the user. `details` are shown on request, a button titled `action_title` calls `action`, and with
    `stays` it is visible until the user dismisses it.
    """

    kind: Literal["error", "information"]
    title: str
    message: str = ""
    details: str = ""
    action_title: str = ""
    action: Callable[[], object] | None = None
    stays: bool = False


class Notifier(QObject):
    """The service that posts notifications. A widget that shows them connects to `posted` and `withdrawn`."""

    posted = Signal(object)
    withdrawn = Signal(str)  # title

    def error(self, title: str, message: str, details: str = "") -> None:
        self.posted.emit(Notification("error", title, message, details, stays=True))

    def information(
        self,
        title: str,
        message: str = "",
        *,
        action_title: str = "",
        action: Callable[[], object] | None = None,
        stays: bool = False,
    ) -> None:
        self.posted.emit(
            Notification("information", title, message, action_title=action_title, action=action, stays=stays)
        )

    def withdraw(self, title: str) -> None:
        """Withdraw the notification with that title, because it no longer applies."""
        self.withdrawn.emit(title)


class NotificationBanner(QWidget):
    """Shows the latest notification until it is dismissed; most information hides after a while."""

    def __init__(self, notifier: Notifier, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.notification = Notification("information", "")
        self._symbol = QLabel()
        self._title = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit(readOnly=True)
        self._details.setAccessibleName("Details")
        self._details_button = TextButton(theme, "Show Details")
        self._action_button = TextButton(theme, "")
        self._close_button = IconButton(theme, "close", "Dismiss")
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._lay_out()
        self._timer.timeout.connect(self.hide)
        self._close_button.clicked.connect(self.hide)
        self._details_button.clicked.connect(self._toggle_details)
        self._action_button.clicked.connect(self._act)
        notifier.posted.connect(self.show_notification)
        notifier.withdrawn.connect(self._withdraw)
        theme.changed.connect(self._apply_theme)
        self.hide()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self._title)
        text.addWidget(self._message)
        row.addLayout(text, 1)
        for button in (self._details_button, self._action_button, self._close_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 8, 8)
        column.addLayout(row)
        column.addWidget(self._details)

    def show_notification(self, notification: Notification) -> None:
        """Show the notification in place of the previous one."""
        self.notification = notification
        self._title.setText(notification.title)
        self._message.setText(notification.message)
        self._message.setVisible(bool(notification.message))
        self._details.setPlainText(notification.details)
        self._details.hide()
        self._details_button.setText("Show Details")
        self._details_button.setVisible(bool(notification.details))
        self._action_button.setText(notification.action_title)
        self._action_button.setVisible(bool(notification.action_title))
        self._apply_theme()
        self.show()
        if notification.stays:
            self._timer.stop()
        else:
            self._timer.start()

    def _withdraw(self, title: str) -> None:
        if title == self.notification.title:
            self.hide()

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self._details_button.setText("Show Details" if self._details.isHidden() else "Hide Details")
        self._details_button.updateGeometry()

    def _act(self) -> None:
        self.hide()
        if self.notification.action:
            self.notification.action()

    def _apply_theme(self) -> None:
        is_error = self.notification.kind == "error"
        colors = self._theme.palette
        name, color = ("warning", colors.danger) if is_error else ("info", colors.accent)
        side = self._theme.scaled(18)
        self._symbol.setPixmap(pixmap(name, side=side, scale=self.devicePixelRatioF(), color=color))
        self._title.setFont(self._theme.font("label", bold=True))
        self._message.setFont(self._theme.font("label"))
        self._details.setFont(self._theme.font("mono"))
        self._details.setFixedHeight(self._theme.scaled(140))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        tone = colors.danger if self.notification.kind == "error" else colors.accent
        painter = QPainter(self)
        rounded(painter, QRectF(self.rect()), 0, mixed(colors.window, tone, 0.1))
        painter.fillRect(0, self.height() - 1, self.width(), 1, mixed(colors.window, tone, 0.25))
