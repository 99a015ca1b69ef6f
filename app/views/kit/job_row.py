"""A job with its progress and the actions for it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.jobs.items import JobItem
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.buttons import IconButton
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.progress_bar import ProgressBar
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class JobRow(QWidget):
    """A row of the job list. The arrow on the left shows details."""

    chat_requested = Signal(str)  # the id of a model
    sign_in_requested = Signal()
    page_requested = Signal(str)  # a repository

    def __init__(self, item: JobItem, jobs: Jobs, theme: Theme) -> None:
        super().__init__()
        self._item, self._jobs = item, jobs
        self._title = TextLabel(theme, item.name, bold=True)
        self._status = TextLabel(theme, tone="secondary", role="small", wraps=True)
        self._problem = TextLabel(theme, tone="secondary", role="small", wraps=True)
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = ProgressBar(theme)
        self._details = TextLabel(theme, tone="secondary", role="small", wraps=True)
        self._details.hide()
        self.log = TextLabel(theme, tone="secondary", role="mono", wraps=True)
        self.log.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.log.hide()
        self._disclosure = IconButton(theme, "chevron-right", "")
        self._pause = IconButton(theme, "pause", "Pause")
        self._cancel = IconButton(theme, "close", "Cancel")
        self._remedy = FilledButton(theme, "Sign In…")
        self._retry = SmallButton(theme, "Try Again", f"Try again: {item.name}")
        self.show_log = SmallButton(theme, "Log", f"Log of {item.name}")
        self._chat = SmallButton(theme, "Chat", f"Chat with {item.name}")
        self._lay_out()
        self._connect()
        self.show_item(item)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 6)
        row.setSpacing(6)
        row.addWidget(self._disclosure, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(4)
        for widget in (self._title, self._bar, self._status, self._problem, self._details, self.log):
            text.addWidget(widget)
        remedies = QHBoxLayout()
        remedies.setContentsMargins(0, 2, 0, 0)
        for remedy in (self._remedy, self._retry, self.show_log):
            remedies.addWidget(remedy)
        remedies.addStretch(1)
        text.addLayout(remedies)
        row.addLayout(text, 1)
        for button in (self._chat, self._pause, self._cancel):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)

    def _connect(self) -> None:
        self._disclosure.clicked.connect(self._toggle_details)
        self._pause.clicked.connect(self._pause_or_resume)
        self._cancel.clicked.connect(lambda: self._jobs.cancel(self._item.id))
        self._remedy.clicked.connect(self._open_remedy)
        self._retry.clicked.connect(lambda: self._jobs.resume(self._item.id))
        self.show_log.clicked.connect(self._toggle_log)
        self._chat.clicked.connect(lambda: self.chat_requested.emit(self._jobs.model_of(self._item)))

    def show_item(self, item: JobItem) -> None:
        """Show the current state of the job."""
        self._item = item
        self._status.setText(item.status)
        self._status.set_tone("danger" if item.kind == "failed" else "secondary")
        self._bar.set_progress(item.fraction, is_active=item.kind == "running")
        self._bar.setVisible(item.kind in ("running", "paused"))
        self._problem.setText(item.problem)
        self._problem.setVisible(bool(item.problem))
        self._show_details()
        self._show_buttons()

    def _show_details(self) -> None:
        self._details.setText("\n".join(self._item.details))
        self._disclosure.setEnabled(bool(self._item.details))
        if not self._item.details:
            self._details.hide()
        self._update_disclosure()

    def _show_buttons(self) -> None:
        kind, remedy, name = self._item.kind, self._item.remedy, self._item.name
        self._pause.setVisible(kind in ("running", "queued", "paused"))
        self._pause.set_icon("play" if kind == "paused" else "pause")
        self._pause.set_name(f"Resume {name}" if kind == "paused" else f"Pause {name}")
        self._cancel.set_name(f"Remove {name} from the list" if kind == "done" else f"Cancel and discard {name}")
        self._chat.setVisible(bool(self._jobs.model_of(self._item)))
        self._retry.setVisible(kind == "failed")
        self.show_log.setVisible(kind == "failed")
        self.log.setVisible(kind == "failed" and not self.log.isHidden())
        self._remedy.setVisible(bool(remedy))
        self._remedy.setText("Sign In…" if remedy == "sign in" else "Open Page")
        self._remedy.updateGeometry()

    def _pause_or_resume(self) -> None:
        act = self._jobs.resume if self._item.kind == "paused" else self._jobs.pause
        act(self._item.id)

    def _open_remedy(self) -> None:
        if self._item.remedy == "sign in":
            self.sign_in_requested.emit()
        else:
            self.page_requested.emit(self._item.subject)

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())
        self._update_disclosure()

    def _toggle_log(self) -> None:
        """Show or hide the last lines of the job's log."""
        self.log.setText(self._jobs.log_tail(self._item.id) or "The log is empty.")
        self.log.setVisible(self.log.isHidden())

    def _update_disclosure(self) -> None:
        is_open = not self._details.isHidden()
        self._disclosure.set_icon("chevron-down" if is_open else "chevron-right")
        self._disclosure.set_name(f"{'Hide' if is_open else 'Show'} details of {self._item.name}")
