"""The page for publishing a conversion: the form, then the confirmation."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.hub.publish import Confirming, DraftFailure, Drafting, Editing, NoConversion, Publishing
from app.viewmodels.library.library import format_detail
from app.views.kit.buttons import IconButton
from app.views.kit.grid import SIDE
from app.views.kit.placeholder import Placeholder
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.publish.confirmation import Confirmation
from app.views.publish.form import PublishForm

_RETRY, _MODELS = "Try Again", "Show Models"


class PublishPage(QWidget):
    """Shows the state of `publishing`."""

    closed = Signal()
    sign_in_requested = Signal()

    def __init__(self, publishing: Publishing, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._publishing, self._theme = publishing, theme
        self._name = TextLabel(theme, role="heading")
        self._facts = TextLabel(theme, role="small", tone="secondary")
        self.form = PublishForm(publishing, theme)
        self.confirmation = Confirmation(publishing, theme)
        self._placeholder = Placeholder(theme)
        self._stack = QStackedWidget()
        for view in (self.form, self.confirmation, self._placeholder):
            self._stack.addWidget(view)
        self._lay_out()
        publishing.changed.connect(self._refresh)
        self.form.sign_in_requested.connect(self.sign_in_requested)
        self._placeholder.action_chosen.connect(self._run_action)
        self._refresh()

    def _lay_out(self) -> None:
        back = IconButton(self._theme, "chevron-left", "Back")
        back.clicked.connect(self.go_back)
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addWidget(self._name)
        names.addWidget(self._facts)
        head = QHBoxLayout()
        head.setContentsMargins(SIDE - 8, 10, SIDE, 6)
        head.setSpacing(8)
        head.addWidget(back)
        head.addLayout(names, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)

    def go_back(self) -> None:
        """Close the confirmation, or else the page."""
        if not self._publishing.go_back():
            self.closed.emit()

    def _refresh(self) -> None:
        state = self._publishing.state
        self._show_model()
        match state:
            case Editing():
                self.form.show_draft(state)
                self._show_view(self.form, focus=self.form.repository)
            case Confirming():
                self.confirmation.show_state(state)
                self._show_view(self.confirmation, focus=self.confirmation.back)
            case Drafting():
                self._show_message("Writing the card…", is_waiting=True)
            case DraftFailure():
                self._show_message(
                    state.title,
                    state.message,
                    icon="warning",
                    actions=(_RETRY, _MODELS) if state.can_retry else (_MODELS,),
                )
            case NoConversion():
                sentence = "Choose a conversion on the Models page."
                self._show_message("No model selected", sentence, icon="publish", actions=(_MODELS,))

    def _show_view(self, view: QWidget, *, focus: QWidget) -> None:
        if self._stack.currentWidget() is not view:
            self._stack.setCurrentWidget(view)
            focus.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_model(self) -> None:
        match self._publishing.state:
            case NoConversion():
                model = None
            case Confirming(draft=draft):
                model = draft.model
            case state:
                model = state.model
        self._name.setText(f"Publish {model.name}" if model else "Publish a conversion")
        self._facts.setText(format_detail(model) if model else "")
        self._facts.setVisible(model is not None)

    def _show_message(
        self,
        title: str,
        sentence: str = "",
        *,
        icon: str = "",
        is_waiting: bool = False,
        actions: tuple[str, ...] = (),
    ) -> None:
        self._placeholder.show_message(title, sentence, icon=icon, is_waiting=is_waiting, actions=actions)
        self._stack.setCurrentWidget(self._placeholder)

    def _run_action(self, action: str) -> None:
        if action == _RETRY:
            self._publishing.retry()
        else:
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.go_back()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
