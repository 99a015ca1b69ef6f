"""A study: heading, status, and results as a table or chart."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.lab.export import ReportExport
from app.viewmodels.lab.lines import StudyLine
from app.viewmodels.lab.studies import Lab
from app.views.kit.controls import SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.segmented_control import SegmentedControl
from app.views.kit.study_pane import StudyPane
from app.views.kit.theme import Theme
from app.views.lab.gates_form import GatesForm
from app.views.lab.heading import StudyHeading
from app.views.lab.status_strip import StudyStatusStrip
from app.views.lab.table import StudyTable
from app.views.lab.views import VIEWS, LabView

_CHART = 400
"""Width in pixels at 100 % that a chart needs next to the table."""
_LOW = 420
"""Height in pixels at 100 % below which a chart gets some of the space of the heading."""
_ANY_WIDTH = 2**24 - 1
"""Qt's maximum widget size."""


class StudyView(QWidget):
    """Shows the open study."""

    chat_requested = Signal(str)  # label of a row
    quantize_requested = Signal(str)  # label of a row
    reveal_requested = Signal(str)  # path

    def __init__(
        self,
        lab: Lab,
        export: ReportExport,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        views: Sequence[LabView] = VIEWS,
    ) -> None:
        super().__init__(parent)
        self._lab, self._theme, self._views = lab, theme, views
        self.heading = StudyHeading(lab, export, theme)
        self.strip = StudyStatusStrip(lab, theme)
        self.table = StudyTable(lab, theme)
        self.segments = SegmentedControl(theme, "View", ["Table", *(view.title for view in views)])
        self.limits = SmallButton(theme, "Limits…", "Set the limits that a model must meet")
        self.columns = SmallButton(theme, "Columns", "Choose and sort columns")
        self.copy_button = SmallButton(theme, "Copy", "Copy the table")
        self._buttons = QWidget()
        self._bar = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._stack = QStackedWidget()
        self._panes: dict[int, StudyPane] = {}
        self._view_index = 0
        self._gates: GatesForm | None = None
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self._buttons.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(8)
        for button in (self.limits, self.columns, self.copy_button):
            buttons.addWidget(button)
        bar = self._bar
        bar.setContentsMargins(SIDE - 4, 0, SIDE - 4, 8)
        bar.setSpacing(8)
        bar.addWidget(self.segments)
        bar.addStretch(1)
        bar.addWidget(self._buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.strip)
        column.addLayout(bar)
        results = QHBoxLayout()
        results.setSpacing(0)
        results.addWidget(self.table, 1)
        results.addWidget(self._stack, 1)
        self._stack.hide()
        column.addLayout(results, 1)

    def _connect(self) -> None:
        self.segments.selected.connect(self.show_view)
        self._theme.changed.connect(self._arrange)
        self.table.chat_requested.connect(self.chat_requested)
        self.table.selected.connect(self._select_in_charts)
        self.table.menu_requested.connect(self._show_menu)
        self.limits.clicked.connect(self.show_limits_form)
        self.columns.clicked.connect(lambda: self._show_below(self.table.columns_menu(self), self.columns))
        self.copy_button.clicked.connect(lambda: self._show_below(self._copy_menu(), self.copy_button))

    def show_view(self, index: int) -> None:
        """Show the table (0) or another view."""
        self._view_index = index
        if index and index not in self._panes:
            pane = self._panes[index] = self._views[index - 1].make(self._lab, self._theme)
            pane.chat_requested.connect(self.chat_requested)
            pane.selected.connect(self.table.select)
            pane.select(self.table.selected_key)
            self._stack.addWidget(pane)
        self.segments.select(index)
        if index:
            self._stack.setCurrentWidget(self._panes[index])
        for button in (self.columns, self.copy_button):
            button.setVisible(index == 0)
        self._arrange()

    def _select_in_charts(self, key: str) -> None:
        for pane in self._panes.values():
            pane.select(key)

    def show_limits_form(self) -> None:
        """Open the form for the limits of the study."""
        if study := self._lab.study:
            self._gates = GatesForm(study.plan.gates, self._theme, self)
            self._gates.gates_changed.connect(self._lab.set_gates)
            self._gates.finished.connect(self._gates.deleteLater)
            self._gates.open()

    def _arrange(self) -> None:
        """Place the buttons next to the view selector and a chart next to the table if they fit."""
        is_wide = self.width() >= self.segments.sizeHint().width() + self._buttons.sizeHint().width() + 2 * SIDE
        self._bar.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)
        pane = self._panes.get(self._view_index)
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
        self._add_copy_actions(menu)
        return menu

    def _add_copy_actions(self, menu: QMenu) -> None:
        menu.addAction("Copy as Markdown", lambda: self.table.copy_text(is_csv=False))
        menu.addAction("Copy as CSV", lambda: self.table.copy_text(is_csv=True))

    def _show_menu(self, line: StudyLine, position: QPoint) -> None:
        label, can_change = line.row.label, not self._lab.is_running
        menu = QMenu(self)
        menu.addAction("Chat", lambda: self.chat_requested.emit(label)).setEnabled(line.row.exists)
        menu.addAction("Quantize…", lambda: self.quantize_requested.emit(label)).setEnabled(line.row.exists)
        reveal = menu.addAction("Show in Finder", lambda: self.reveal_requested.emit(line.row.path))
        reveal.setEnabled(line.row.exists)
        menu.addSeparator()
        self._add_copy_actions(menu)
        menu.addSeparator()
        menu.addAction("Measure Again", lambda: self._lab.discard_results(label)).setEnabled(can_change)
        remove = menu.addAction("Remove from Study", lambda: self._lab.remove_row(label))
        remove.setEnabled(can_change and not line.row.is_original)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(position)

    def _show_below(self, menu: QMenu, button: QWidget) -> None:
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))
