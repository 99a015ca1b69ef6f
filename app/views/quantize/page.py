"""The Quantize page: recipe cards, and an editor for each recipe."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.library.imports import may_be_model
from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.recipe_editor import RecipeEditor
from app.viewmodels.quantize.state import (
    FetchingModel,
    ModelFailed,
    NoModel,
    ReadingModel,
    RecipesReady,
    RepositoryFailed,
)
from app.views.kit.placeholder import Placeholder
from app.views.kit.save_file import ask_save_path
from app.views.kit.theme import Theme
from app.views.quantize.editor import Editor
from app.views.quantize.heading import Heading
from app.views.quantize.recipes import Recipes
from app.views.quantize.skeleton import Skeleton
from app.views.quantize.tray import Tray

_MODELS, _FOLDER, _FILE = "Show Models", "Choose Folder…", "Choose GGUF File…"
_AGAIN, _BACK = "Try Again", "Back"


class QuantizePage(QWidget):
    """`path_chosen` carries the path of a model that is not in the library."""

    back_requested = Signal()
    path_chosen = Signal(object)  # Path

    def __init__(self, quantize: Quantize, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quantize, self._theme = quantize, theme
        self.heading = Heading(theme)
        self.recipes = Recipes(quantize, theme)
        self.editor: Editor | None = None
        self.tray = Tray(quantize, theme, self)
        self._skeleton = Skeleton(theme)
        self._notice = Placeholder(theme)
        self._stack = QStackedWidget()
        self._stack.setMinimumHeight(60)
        for view in (self.recipes, self._skeleton, self._notice):
            self._stack.addWidget(view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self._stack, 1)
        column.addWidget(self.tray)
        self.setAcceptDrops(True)
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        quantize = self._quantize
        quantize.changed.connect(self._refresh)
        self.heading.back_requested.connect(self.go_back)
        self.heading.context_chosen.connect(quantize.set_context)
        self.recipes.edit_requested.connect(self.edit)
        self.recipes.import_requested.connect(self._ask_for_recipe)
        self.recipes.export_requested.connect(self._ask_where_to_export)
        self.tray.started.connect(quantize.start)
        self._notice.action_chosen.connect(self._act)

    def _refresh(self) -> None:
        state = self._quantize.state
        self._close_editor()
        self.heading.show_state(state)
        self.recipes.notes.show_sentences(self._quantize.warnings)
        self.tray.setVisible(isinstance(state, RecipesReady))
        match state:
            case RecipesReady():
                self._stack.setCurrentWidget(self.recipes)
                self.recipes.verticalScrollBar().setValue(0)
            case ReadingModel() | FetchingModel():
                self._stack.setCurrentWidget(self._skeleton)
            case ModelFailed(_, title, message) | RepositoryFailed(_, title, message):
                self._show_notice(title, message, icon="warning", actions=(_AGAIN, _BACK))
            case NoModel():
                sentence = "Choose a model on the Models page, or drop a folder or a GGUF file here."
                self._show_notice("No model selected", sentence, icon="model", actions=(_MODELS, _FOLDER, _FILE))

    def _show_notice(self, title: str, sentence: str, *, icon: str, actions: tuple[str, ...]) -> None:
        self._notice.show_message(title, sentence, icon=icon, actions=actions)
        self._stack.setCurrentWidget(self._notice)

    def edit(self, name: str) -> None:
        """Edit a copy of a recipe."""
        state, card = self._quantize.state, self._quantize.card(name)
        if not isinstance(state, RecipesReady) or card is None or card.problem:
            return
        self._close_editor()
        model = RecipeEditor(state.forecaster.outline, card.recipe, self)
        self.editor = Editor(model, self._quantize, self._theme)
        self.editor.back_requested.connect(self._close_editor)
        self.editor.saved.connect(self._show_saved)
        self._stack.addWidget(self.editor)
        self._stack.setCurrentWidget(self.editor)
        self.heading.hide()
        self.tray.hide()
        self.editor.map.setFocus()

    def _show_saved(self, name: str) -> None:
        self._close_editor()
        self.recipes.show_card(name)

    def go_back(self) -> None:
        """Leave the editor, or the page if no editor is open."""
        if self.editor:
            self.editor.leave()
        else:
            self.back_requested.emit()

    def _close_editor(self) -> None:
        if self.editor:
            editor, self.editor = self.editor, None
            self._stack.removeWidget(editor)
            editor.deleteLater()
            self._stack.setCurrentWidget(self.recipes)
            self.heading.show()
            self.tray.setVisible(isinstance(self._quantize.state, RecipesReady))

    def _act(self, action: str) -> None:
        if action == _AGAIN:
            self._quantize.try_again()
        elif action in (_BACK, _MODELS):
            self.back_requested.emit()
        else:
            self.ask_for_path(is_file=action == _FILE)

    def ask_for_path(self, *, is_file: bool) -> None:
        """Ask for a model that is not in the library."""
        if is_file:
            chosen, _ = QFileDialog.getOpenFileName(self, "Quantize GGUF File", filter="GGUF files (*.gguf)")
        else:
            chosen = QFileDialog.getExistingDirectory(self, "Quantize Model Folder")
        if chosen:
            self.path_chosen.emit(Path(chosen))

    def _ask_for_recipe(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Import Recipe", filter="Recipes (*.json)")
        if chosen:
            self._quantize.recipe_store.import_file(Path(chosen))

    def _ask_where_to_export(self, name: str) -> None:
        if card := self._quantize.card(name):
            export = partial(self._quantize.recipe_store.export, card.recipe)
            ask_save_path(self, "Export Recipe", f"{name}.json", "Recipes (*.json)", export)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.tray.fit_height()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.go_back()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _model_in(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if path := _model_in(event):
            event.acceptProposedAction()
            self.path_chosen.emit(path)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)


def _model_in(event: QDropEvent) -> Path | None:
    """Return the dragged folder or GGUF file, if any."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path for path in paths if may_be_model(path)), None)
