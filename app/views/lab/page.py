"""Lab page: the welcome, the setup of a new study, or a study."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.export import ReportExport
from app.viewmodels.lab.studies import Lab
from app.views.kit.placeholder import Placeholder
from app.views.kit.theme import Theme
from app.views.lab.setup import StudySetup
from app.views.lab.study_view import StudyView
from app.views.lab.views import VIEWS, LabView
from app.views.lab.welcome import LabWelcome

_DISCOVER = "Discover Models"


class LabPage(QWidget):
    """Shows the open study; its signals lead to other pages."""

    chat_requested = Signal(str)  # label of a model
    quantize_requested = Signal(str)  # label of a model
    reveal_requested = Signal(str)  # path
    discover_requested = Signal()
    hub_requested = Signal(str)  # search text

    def __init__(
        self,
        lab: Lab,
        draft: StudyDraft,
        export: ReportExport,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        views: Sequence[LabView] = VIEWS,
    ) -> None:
        super().__init__(parent)
        self._lab, self._draft, self._theme = lab, draft, theme
        self.welcome = LabWelcome(theme)
        self.notice = Placeholder(theme)
        self.view = StudyView(lab, export, theme, views=views)
        self.setup = StudySetup(draft, theme)
        self._stack = QStackedWidget()
        for widget in (self.welcome, self.notice, self.view, self.setup):
            self._stack.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self._connect()
        self.show_study()

    def _connect(self) -> None:
        view = self.view
        view.chat_requested.connect(self.chat_requested)
        view.quantize_requested.connect(self.quantize_requested)
        view.reveal_requested.connect(self.reveal_requested)
        view.heading.new_requested.connect(self.new)
        view.heading.duplicate_requested.connect(self.duplicate)
        self.welcome.started.connect(self.new)
        self.notice.action_chosen.connect(self.discover_requested)
        self.setup.canceled.connect(self.show_study)
        self.setup.hub_requested.connect(self.hub_requested)
        self.setup.started.connect(self._start)
        self._lab.opened.connect(self._on_opened)

    def new(self) -> None:
        """Set up a new study."""
        self._draft.start()
        self.show_setup()

    def duplicate(self) -> None:
        """Set up a new study with the plan of the current one."""
        if (study := self._lab.study) and self._draft.start_from(study):
            self.show_setup()

    def show_study(self) -> None:
        """Show the open study, or the welcome if there is none."""
        self._stack.setCurrentWidget(self.view if self._lab.study else self.welcome)

    def show_setup(self) -> None:
        """Show the setup of the draft, or a notice if there are no models."""
        if self._draft.original is None:
            self.notice.show_message(
                "No models to measure",
                "Download a model that runs on this Mac. The Lab converts it and compares the results.",
                icon="lab",
                actions=(_DISCOVER,),
            )
            self._stack.setCurrentWidget(self.notice)
            return
        self._stack.setCurrentWidget(self.setup)
        self.setup.originals.setFocus()

    def _on_opened(self) -> None:
        """Show the open study, except during the setup of a new one."""
        if self._stack.currentWidget() in {self.welcome, self.view}:
            self.show_study()

    def _start(self) -> None:
        if (study := self._draft.study()) and self._lab.add(study):
            self.show_study()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_setup = self._stack.currentWidget() is self.setup
        if is_setup and event.key() == Qt.Key.Key_Escape:
            self.show_study()
        elif is_setup and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.setup.tray.button.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
