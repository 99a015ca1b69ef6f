"""Page of the models on this Mac: table, inspector and model card."""

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
from app.viewmodels.library.file_actions import ModelFileActions
from app.viewmodels.library.filter import ModelFilter
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.inspection import ModelInspector
from app.viewmodels.library.library import problem_of
from app.viewmodels.library.revision_checker import RevisionChecker
from app.viewmodels.library.table import ModelTable, intact_model
from app.views.kit.theme import Theme
from app.views.models import drops
from app.views.models.actions import ModelActions
from app.views.models.card_page import CardPage
from app.views.models.filter_bar import FilterBar
from app.views.models.footer import LibraryFooter
from app.views.models.import_strip import ImportStrip
from app.views.models.inspector import Inspector
from app.views.models.placeholder import DropFrame, TablePlaceholder
from app.views.models.table import ModelsTable

_WIDE, _HIGH, _INSPECTOR_WIDTH = 760, 400, 320
"""Pixels at 100 %. On a narrower page the inspector is below the table, on a lower one instead of it."""


@dataclass(frozen=True, slots=True)
class ModelsParts:
    """View-models of the page."""

    table: ModelTable
    inspector: ModelInspector
    file_actions: ModelFileActions
    imports: ModelImports
    duplicates: DuplicateModels
    folders: ModelFolders
    revisions: RevisionChecker


class ModelsPage(QWidget):
    """Shows `parts`; `model_actions` and `discover_requested` lead to other pages."""

    discover_requested = Signal(str)  # "<owner>/<name>" on the Hub, or ""

    def __init__(self, parts: ModelsParts, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts, self._theme = parts, theme
        self._filter = ModelFilter(parts.table, self)
        self.bar = FilterBar(self._filter, theme)
        self.table = ModelsTable(self._filter, theme)
        self.inspector = Inspector(parts.inspector, parts.revisions, parts.table.memory, theme)
        self.card = CardPage(theme)
        self.strip = ImportStrip(parts.imports, theme)
        self._placeholder = TablePlaceholder(theme)
        self._footer = LibraryFooter(theme)
        # Many rows may be added at once; the totals are then calculated once.
        self._refresh_timer = QTimer(self, singleShot=True, interval=0)
        self._refresh_timer.timeout.connect(self._refresh_library)
        self._drop_frame = DropFrame(theme, self)
        self.model_actions = ModelActions(parts.file_actions, parts.imports, parts.folders, theme, self)
        self.setFocusProxy(self.table)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()
        self._refresh_library()

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._placeholder)
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
        column.addWidget(self._footer)
        self._views = QStackedWidget()
        self._views.addWidget(overview)
        self._views.addWidget(self.card)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self._views)

    def _connect(self) -> None:
        table, inspector, actions = self.table, self.inspector, self.model_actions
        table.selectionModel().currentChanged.connect(self._refresh_current)
        table.row_activated.connect(lambda: actions.chat(table.current_row()))
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
        inspector.closed.connect(self._clear_selection)
        inspector.quantize.clicked.connect(lambda: actions.quantize(table.current_row()))
        inspector.lab_requested.connect(lambda: actions.measure(table.current_row(), inspector.loss.study))
        inspector.publish.clicked.connect(lambda: actions.publish(table.current_row()))
        for signal in (inspector.card_requested, actions.card_requested):
            signal.connect(self._show_card)
        inspector.revision.discover_requested.connect(self.discover_requested)
        self.card.closed.connect(self._leave_card)
        self.bar.add.clicked.connect(lambda: actions.show_add_menu(self.bar.add))
        self.bar.search.down_pressed.connect(self._enter_table)
        self.bar.context_changed.connect(self._parts.table.set_context)
        self._footer.folders.clicked.connect(actions.show_folders)
        self._placeholder.pressed.connect(self._on_placeholder_pressed)
        self._placeholder.secondary_pressed.connect(lambda: actions.show_add_menu(self._placeholder.secondary_button))
        for changed in (
            self._parts.table.rowsInserted,
            self._parts.table.rowsRemoved,
            self._parts.table.dataChanged,
            self._parts.duplicates.changed,
            self._parts.folders.changed,
        ):
            changed.connect(self._refresh_timer.start)
        self._filter.filter_changed.connect(self._refresh_rows)
        self._parts.file_actions.renamed.connect(lambda _old, new: self._select_when_ready(new))
        self._parts.imports.imported.connect(self._select_when_ready)
        self.strip.quantize_requested.connect(self._quantize)
        self._theme.changed.connect(self._arrange)

    def _refresh_library(self) -> None:
        """Show the totals of all models."""
        rows = self._parts.table.library.rows
        self._footer.show_totals(
            rows,
            reclaimable_bytes=self._parts.duplicates.reclaimable_bytes,
            disconnected=self._parts.folders.disconnected,
        )
        if rows:
            self._placeholder.show_message(
                "No matching models", "Try fewer words or remove a filter.", "Show All Models"
            )
        else:
            message = "Find a model on Hugging Face, or drop a model folder or GGUF file here."
            self._placeholder.show_message("No models yet", message, "Find a Model", "Add from This Mac…")
        self.bar.setVisible(bool(rows))
        self._refresh_rows()

    def _refresh_rows(self) -> None:
        matches = self._filter.rowCount()
        self._footer.show_count(matches, self._parts.table.rowCount())
        self._stack.setCurrentWidget(self.table if matches else self._placeholder)
        self._refresh_current()

    def _refresh_current(self) -> None:
        row = self.table.current_row() if self._filter.rowCount() else None
        self._parts.inspector.inspect(row)
        if self.inspector.isHidden() != (row is None):
            self.inspector.setVisible(row is not None)
            self._arrange()
        if row:
            self.inspector.refresh(self._parts.duplicates.of(row.id))
            model = intact_model(row)
            self.inspector.quantize.setEnabled(model is not None)
            self.inspector.publish.setVisible(self.model_actions.can_publish(row))
            can_import = bool(model and model.can_be_imported)
            self.inspector.set_actions(
                "import" if can_import else "chat",
                is_enabled=can_import or not problem_of(row),
                can_rename=self._parts.file_actions.is_managed(row),
                lock_reason=self._parts.file_actions.lock_reason(row),
            )

    @property
    def _has_card(self) -> bool:
        inspection = self._parts.inspector.inspection
        return bool(inspection and inspection.card)

    def _show_card(self) -> None:
        row, inspection = self.table.current_row(), self._parts.inspector.inspection
        if row and inspection and inspection.card:
            self.card.show_card(row.name, inspection.card)
            self._views.setCurrentWidget(self.card)

    def _leave_card(self) -> None:
        self._views.setCurrentIndex(0)
        self.table.setFocus()

    def _clear_selection(self) -> None:
        self.table.setCurrentIndex(self._filter.index(-1, -1))
        self.table.clearSelection()
        self.table.setFocus()

    def _select_when_ready(self, model_id: str) -> None:
        """Select the model once it is in the library."""

        def select() -> None:
            if self.table.select(model_id):
                self._parts.table.library.refreshed.disconnect(select)

        self._parts.table.library.refreshed.connect(select)
        self._parts.table.library.refresh()

    def _quantize(self, model_id: str) -> None:
        library = self._parts.table.library
        row = library.row_of(model_id)
        self.model_actions.quantize(library.rows[row] if row >= 0 else None)

    def _enter_table(self) -> None:
        self.table.setFocus()
        if not self.table.currentIndex().isValid():
            self.table.selectRow(0)

    def _on_placeholder_pressed(self) -> None:
        if self._parts.table.library.rows:
            self.bar.clear()
        else:
            self.discover_requested.emit("")

    def _arrange(self) -> None:
        """Place the inspector next to the table, below it, or instead of it, depending on the size."""
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
            self._clear_selection()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if drops.is_accepted(event):
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
