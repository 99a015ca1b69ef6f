"""The page of the models on this machine: what is there, and what can be done with it."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.library.duplicates import DuplicateModels
from app.viewmodels.library.file_actions import ModelKeeping
from app.viewmodels.library.filter import ModelFilter
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.inspection import ModelInspector
from app.viewmodels.library.library import problem_of
from app.viewmodels.library.newer_revision import NewerRevision
from app.viewmodels.library.table import ModelTable, whole
from app.views.kit.theme import Theme
from app.views.models import drops
from app.views.models.actions import ModelActions
from app.views.models.card_page import CardPage
from app.views.models.filter_bar import FilterBar
from app.views.models.foot import Foot
from app.views.models.import_strip import ImportStrip
from app.views.models.inspector import Inspector
from app.views.models.notice import DropFrame, Nothing
from app.views.models.table import ModelsTable

_WIDE, _HIGH, _INSPECTOR_WIDTH = 760, 400, 320
"""Pixels at 100 %: on narrower pages the inspector stands below the table, on lower ones in its place."""


@dataclass(frozen=True, slots=True)
class ModelsParts:
    """The view-models of the page."""

    table: ModelTable
    inspector: ModelInspector
    keeping: ModelKeeping
    imports: ModelImports
    duplicates: DuplicateModels
    folders: ModelFolders
    revisions: NewerRevision


class ModelsPage(QWidget):
    """Shows `parts`; what leads out of the page is told by `offers`, and by `discover_requested`."""

    discover_requested = Signal(str)  # "<owner>/<name>" on the Hub, or "" for any

    def __init__(self, parts: ModelsParts, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts, self._theme = parts, theme
        self._filter = ModelFilter(parts.table, self)
        self.bar = FilterBar(self._filter, theme)
        self.table = ModelsTable(self._filter, theme)
        self.inspector = Inspector(parts.inspector, parts.revisions, parts.table.memory, theme)
        self.card = CardPage(theme)
        self.strip = ImportStrip(parts.imports, theme)
        self._nothing = Nothing(theme)
        self._foot = Foot(theme)
        # Many rows may come at once; what is said of all of them together is reckoned once.
        self._follow_soon = QTimer(self, singleShot=True, interval=0)
        self._follow_soon.timeout.connect(self._follow_library)
        self._drop_frame = DropFrame(theme, self)
        self.offers = ModelActions(parts.keeping, parts.imports, parts.folders, theme, self)
        self.setFocusProxy(self.table)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._follow_library()

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._nothing)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self._stack)
        self._splitter.addWidget(self.inspector)
        self._splitter.setStretchFactor(0, 1)
        overview = QWidget()
        column = QVBoxLayout(overview)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._splitter, 1)
        column.addWidget(self.strip)
        column.addWidget(self._foot)
        self._views = QStackedWidget()
        self._views.addWidget(overview)
        self._views.addWidget(self.card)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self._views)

    def _connect(self) -> None:
        table, inspector, actions = self.table, self.inspector, self.offers
        table.selectionModel().currentChanged.connect(self._follow_current)
        table.activated_row.connect(lambda: actions.chat(table.current_row()))
        table.delete_requested.connect(lambda: actions.delete(table.current_row()))
        table.customContextMenuRequested.connect(
            lambda point: actions.show_menu(
                table.current_row(), table.viewport().mapToGlobal(point), has_card=self._has_card
            )
        )
        inspector.chat_requested.connect(lambda: actions.chat(table.current_row()))
        inspector.reveal_requested.connect(lambda: actions.reveal(table.current_row()))
        inspector.rename_requested.connect(lambda: actions.rename(table.current_row()))
        inspector.delete_requested.connect(lambda: actions.delete(table.current_row()))
        inspector.closed.connect(self._mark_none)
        inspector.quantize.clicked.connect(lambda: actions.quantize(table.current_row()))
        inspector.lab_requested.connect(lambda: actions.measure(table.current_row(), inspector.loss.study))
        inspector.publish.clicked.connect(lambda: actions.publish(table.current_row()))
        for offer in (inspector.card_requested, actions.card_requested):
            offer.connect(self._show_card)
        inspector.revision.discover_requested.connect(self.discover_requested)
        self.card.closed.connect(self._leave_card)
        self.bar.add.clicked.connect(lambda: actions.ask_for_models(self.bar.add))
        self.bar.words.down_pressed.connect(self._enter_table)
        self.bar.context_chosen.connect(self._parts.table.set_context)
        self._foot.folders.clicked.connect(actions.show_folders)
        self._nothing.pressed.connect(self._help)
        self._nothing.other_pressed.connect(lambda: actions.ask_for_models(self._nothing.other))
        for changed in (
            self._parts.table.rowsInserted,
            self._parts.table.rowsRemoved,
            self._parts.table.dataChanged,
            self._parts.duplicates.changed,
            self._parts.folders.changed,
        ):
            changed.connect(self._follow_soon.start)
        self._filter.filter_changed.connect(self._follow_rows)
        self._parts.keeping.renamed.connect(lambda _old, new: self._mark_soon(new))
        self._parts.imports.imported.connect(self._mark_soon)
        self.strip.quantize_requested.connect(self._quantize)
        self._theme.changed.connect(self._arrange)

    def _follow_library(self) -> None:
        """Say what there is to say of all models together."""
        rows = self._parts.table.library.rows
        self._foot.take(
            rows, reclaimable_bytes=self._parts.duplicates.reclaimable_bytes, absent=self._parts.folders.absent
        )
        if rows:
            self._nothing.tell("No model matches", "Other words or fewer conditions show more.", "Show all models", "")
        else:
            line = "Find one on the Hub, or drop a model folder or a GGUF file here."
            self._nothing.tell("There are no models yet", line, "Find a model", "Add one from this Mac…")
        self.bar.setVisible(bool(rows))
        self._follow_rows()

    def _follow_rows(self) -> None:
        shown = self._filter.rowCount()
        self._foot.show_count(shown, self._parts.table.rowCount())
        self._stack.setCurrentWidget(self.table if shown else self._nothing)
        self._follow_current()

    def _follow_current(self) -> None:
        row = self.table.current_row() if self._filter.rowCount() else None
        self._parts.inspector.inspect(row)
        if self.inspector.isHidden() != (row is None):
            self.inspector.setVisible(row is not None)
            self._arrange()
        if row:
            self.inspector.follow(self._parts.duplicates.of(row.id))
            model = whole(row)
            self.inspector.quantize.setEnabled(model is not None)
            self.inspector.publish.setVisible(self.offers.can_publish(row))
            self.inspector.offer(
                "import" if model and model.can_be_imported else "chat",
                can_do_it=bool(model and model.can_be_imported) or not problem_of(row),
                rename=self._parts.keeping.is_own(row),
                delete=self._parts.keeping.why_kept(row),
            )

    @property
    def _has_card(self) -> bool:
        found = self._parts.inspector.inspection
        return bool(found and found.card)

    def _show_card(self) -> None:
        row, found = self.table.current_row(), self._parts.inspector.inspection
        if row and found and found.card:
            self.card.show_card(row.name, found.card)
            self._views.setCurrentWidget(self.card)

    def _leave_card(self) -> None:
        self._views.setCurrentIndex(0)
        self.table.setFocus()

    def _mark_none(self) -> None:
        self.table.setCurrentIndex(self._filter.index(-1, -1))
        self.table.clearSelection()
        self.table.setFocus()

    def _mark_soon(self, model_id: str) -> None:
        """Mark the model when the library has it."""

        def mark() -> None:
            if self.table.mark(model_id):
                self._parts.table.library.refreshed.disconnect(mark)

        self._parts.table.library.refreshed.connect(mark)
        self._parts.table.library.refresh()

    def _quantize(self, model_id: str) -> None:
        library = self._parts.table.library
        row = library.row_of(model_id)
        self.offers.quantize(library.rows[row] if row >= 0 else None)

    def _enter_table(self) -> None:
        self.table.setFocus()
        if not self.table.currentIndex().isValid():
            self.table.selectRow(0)

    def _help(self) -> None:
        if self._parts.table.library.rows:
            self.bar.clear()
        else:
            self.discover_requested.emit("")

    def _arrange(self) -> None:
        """Put the inspector beside the table, below it, or in its place, as there is room."""
        scale = self._theme.scaled
        is_wide, is_low = self.width() >= scale(_WIDE), self.height() < scale(_HIGH)
        self._splitter.setOrientation(Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical)
        self.inspector.setMinimumWidth(scale(240) if is_wide else 0)
        self._stack.setVisible(is_wide or not is_low or self.inspector.isHidden())
        length = self.width() if is_wide else self.height()
        part = scale(_INSPECTOR_WIDTH) if is_wide else length // 2
        self._splitter.setSizes([length - part, part])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._views.currentWidget() is self.card:
            self._leave_card()
        elif event.key() == Qt.Key.Key_Escape:
            self._mark_none()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if drops.is_welcome(event):
            event.acceptProposedAction()
            self._drop_frame.setGeometry(self.rect())
            self._drop_frame.raise_()
            self._drop_frame.show()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._drop_frame.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_frame.hide()
        event.acceptProposedAction()
        if repository := drops.repository(event):
            self.discover_requested.emit(repository)
        else:
            self._parts.imports.add(drops.paths(event))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
