"""One study: how it stands, and its results in the view that was chosen."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.lab.export import LabExport
from app.viewmodels.lab.lines import StudyLine
from app.viewmodels.lab.studies import Lab
from app.views.kit.controls import SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.segmented_control import SegmentedControl
from app.views.kit.study_pane import StudyPane
from app.views.kit.theme import Theme
from app.views.lab.gates_form import GatesForm
from app.views.lab.heading import StudyHeading
from app.views.lab.status_strip import Strip
from app.views.lab.table import StudyTable
from app.views.lab.views import VIEWS, View

_CHART = 400
"""Pixels at 100 % that a chart needs beside the table."""
_LOW = 420
"""Pixels at 100 %: on lower pages, what stands in the place of the table gets some of what is above it."""
_ANY_WIDTH = 2**24 - 1
"""Qt's own word for no limit."""


class StudyView(QWidget):
    """What leads out of the page is told with the labels of rows."""

    chat_requested = Signal(str)
    quantize_requested = Signal(str)
    reveal_requested = Signal(str)

    def __init__(
        self,
        lab: Lab,
        export: LabExport,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        views: Sequence[View] = VIEWS,
    ) -> None:
        super().__init__(parent)
        self._lab, self._theme, self._views = lab, theme, views
        self.heading = StudyHeading(lab, export, theme)
        self.strip = Strip(lab, theme)
        self.table = StudyTable(lab, theme)
        self.segments = SegmentedControl(theme, "View", ["Table", *(view.title for view in views)])
        self.limits = SmallButton(theme, "Limits…", "Limits that a model must keep to")
        self.columns = SmallButton(theme, "Columns", "Columns of the table")
        self.copy_button = SmallButton(theme, "Copy", "Copy the table")
        self._buttons = QWidget()
        self._bar = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._stack = QStackedWidget()
        self._panes: dict[int, StudyPane] = {}
        self._place = 0
        self._gates: GatesForm | None = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        held = self._buttons
        held.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        buttons = QHBoxLayout(held)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(8)
        for button in (self.limits, self.columns, self.copy_button):
            buttons.addWidget(button)
        bar = self._bar
        bar.setContentsMargins(SIDE - 4, 0, SIDE - 4, 8)
        bar.setSpacing(8)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        bar.addWidget(held)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.strip)
        column.addLayout(bar)
        both = QHBoxLayout()
        both.setSpacing(0)
        both.addWidget(self.table, 1)
        both.addWidget(self._stack, 1)
        self._stack.hide()
        column.addLayout(both, 1)

    def _connect(self) -> None:
        self.segments.selected.connect(self.show_view)
        self._theme.changed.connect(self._arrange)
        self.table.chat_requested.connect(self.chat_requested)
        self.table.selected.connect(self._mark)
        self.table.menu_requested.connect(self._show_menu)
        self.limits.clicked.connect(self.ask_for_limits)
        self.columns.clicked.connect(lambda: self._pop(self.table.columns_menu(self), self.columns))
        self.copy_button.clicked.connect(lambda: self._pop(self._copy_menu(), self.copy_button))

    def show_view(self, place: int) -> None:
        """Show the table, which is at 0, or one of the other views."""
        self._place = place
        if place and place not in self._panes:
            made = self._panes[place] = self._views[place - 1].make(self._lab, self._theme)
            made.chat_requested.connect(self.chat_requested)
            made.selected.connect(self.table.select)
            made.select(self.table.selected_key)
            self._stack.addWidget(made)
        self.segments.select(place)
        if place:
            self._stack.setCurrentWidget(self._panes[place])
        for button in (self.columns, self.copy_button):
            button.setVisible(place == 0)
        self._arrange()

    def _mark(self, key: str) -> None:
        for pane in self._panes.values():
            pane.select(key)

    def ask_for_limits(self) -> None:
        """Let the person say what a model must keep to."""
        if study := self._lab.study:
            self._gates = GatesForm(study.plan.gates, self._theme, self)
            self._gates.gates_changed.connect(self._lab.set_gates)
            self._gates.finished.connect(self._gates.deleteLater)
            self._gates.open()

    def _arrange(self) -> None:
        """Put the buttons beside the views, or below them where room is short; likewise a chart beside the table."""
        needed = self.segments.sizeHint().width() + self._buttons.sizeHint().width() + 2 * SIDE
        is_wide = self.width() >= needed
        self._bar.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        pane = self._panes.get(self._place)
        brief = self.table.brief_width
        has_both = bool(pane and pane.is_next_to_table) and self.width() >= brief + self._theme.scaled(_CHART)
        self.table.setMaximumWidth(brief if has_both else _ANY_WIDTH)
        self.table.show_briefly(has_both)
        self.table.setVisible(has_both or pane is None)
        self._stack.setVisible(pane is not None)
        is_low = pane is not None and self.height() < self._theme.scaled(_LOW)
        self.heading.show_briefly(is_low)
        self.strip.show_briefly(is_low)
        self.limits.setVisible(not is_low)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _copy_menu(self) -> QMenu:
        menu = QMenu(self)
        self._add_copying(menu)
        return menu

    def _add_copying(self, menu: QMenu) -> None:
        menu.addAction("Copy as Markdown", lambda: self.table.copy_text(is_csv=False))
        menu.addAction("Copy as CSV", lambda: self.table.copy_text(is_csv=True))

    def _show_menu(self, line: StudyLine, where: QPoint) -> None:
        label, is_still = line.row.label, not self._lab.is_running
        menu = QMenu(self)
        menu.addAction("Chat", lambda: self.chat_requested.emit(label)).setEnabled(line.row.is_made)
        menu.addAction("Quantize…", lambda: self.quantize_requested.emit(label)).setEnabled(line.row.is_made)
        reveal = menu.addAction("Show in the File Manager", lambda: self.reveal_requested.emit(line.row.path))
        reveal.setEnabled(line.row.is_made)
        menu.addSeparator()
        self._add_copying(menu)
        menu.addSeparator()
        menu.addAction("Measure Again", lambda: self._lab.drop_results(label)).setEnabled(is_still)
        remove = menu.addAction("Remove from the Study", lambda: self._lab.drop_row(label))
        remove.setEnabled(is_still and not line.row.is_original)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _pop(self, menu: QMenu, below: QWidget) -> None:
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(below.mapToGlobal(QPoint(0, below.height() + 4)))
