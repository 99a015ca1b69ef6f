"""The recipe editor: map, treatments and forecast."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QInputDialog, QMessageBox, QVBoxLayout, QWidget

from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.recipe_editor import RecipeEditor
from app.views.kit.buttons import IconButton
from app.views.kit.controls import FilledButton
from app.views.kit.grid import SIDE, VerticalScrollArea
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.quantize.forecast_panel import ForecastPanel
from app.views.quantize.palette import TreatmentPalette
from app.views.quantize.recipe_map_view import RecipeMapView

_WIDE, _SIDE_WIDTH, _NO_LIMIT = 620, 230, 16_777_215
"""In pixels at 100 %; on pages narrower than `_WIDE`, the treatments are above the map."""


class Editor(QWidget):
    """`back_requested` is emitted when the user leaves without saving, `saved` with the key of the saved recipe."""

    back_requested = Signal()
    saved = Signal(str)

    def __init__(self, model: RecipeEditor, quantize: Quantize, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._quantize, self._theme = model, quantize, theme
        self.map = RecipeMapView(theme)
        self.palette_panel = TreatmentPalette(theme)
        self._forecast = ForecastPanel(theme)
        self._selection = TextLabel(theme, role="small", tone="secondary")
        self._undo = IconButton(theme, "undo", "Undo")
        self._redo = IconButton(theme, "redo", "Redo")
        self.save_button = FilledButton(theme, "Save as Recipe…")
        self._lay_out()
        self._connect()
        self._refresh()
        self._refresh_selection()

    def _lay_out(self) -> None:
        theme = self._theme
        back = IconButton(theme, "chevron-left", "Back to recipes")
        back.clicked.connect(self.leave)
        head = QHBoxLayout()
        head.setContentsMargins(SIDE - 8, 10, SIDE, 6)
        head.setSpacing(6)
        head.addWidget(back)
        head.addWidget(TextLabel(theme, f"Copy of {self._model.origin.title}", role="heading"), 1)
        for button in (self._undo, self._redo, self.save_button):
            head.addWidget(button)
        self._side = QWidget()
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(10)
        side.addWidget(self._forecast)
        side.addWidget(self.palette_panel)
        side.addStretch(1)
        picture = QVBoxLayout()
        picture.setSpacing(6)
        picture.addWidget(self.map, 1)
        picture.addWidget(self._selection)
        scroll = VerticalScrollArea(theme, "Editor")
        scroll.column.setContentsMargins(SIDE, 4, SIDE, 12)
        self._body = QBoxLayout(QBoxLayout.Direction.RightToLeft)
        scroll.column.addLayout(self._body)
        self._body.setSpacing(18)
        self._body.addWidget(self._side, 0)
        self._body.addLayout(picture, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(scroll, 1)

    def _connect(self) -> None:
        self._model.changed.connect(self._refresh)
        self.map.selection_changed.connect(self._refresh_selection)
        self.map.bits_typed.connect(self.palette_panel.choose_bits)
        self.map.undo_requested.connect(self._model.undo)
        self.map.redo_requested.connect(self._model.redo)
        self.palette_panel.chosen.connect(self._treat)
        self._undo.clicked.connect(self._model.undo)
        self._redo.clicked.connect(self._model.redo)
        self.save_button.clicked.connect(self.ask_for_name)
        self._quantize.cards_changed.connect(self._refresh)
        self._theme.changed.connect(self._arrange)

    def _refresh(self) -> None:
        self.map.show_map(self._model.map)
        recipe, origin = self._model.recipe, self._model.origin
        self._forecast.show_forecast(self._quantize.forecast(recipe), self._quantize.forecast(origin), origin.title)
        self._undo.setEnabled(self._model.can_undo)
        self._redo.setEnabled(self._model.can_redo)
        self.save_button.setEnabled(self._model.can_undo)

    def _refresh_selection(self) -> None:
        selection = self.map.selection
        self._selection.setText(selection.summary())
        cells = [cell for path in selection.paths if (cell := self._model.map.by_path.get(path))]
        self.palette_panel.show_selection(cells)

    def _treat(self, treatment: object) -> None:
        self._model.set_treatment(self.map.selection.paths, treatment)  # type: ignore[arg-type]  # a signal carries objects

    def ask_for_name(self) -> None:
        """Ask for a name and save the recipe."""
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Save as recipe")
        dialog.setLabelText("Recipe name:")
        dialog.setTextValue(self._quantize.recipe_store.free_title(f"My {self._model.origin.title}"))
        dialog.setOkButtonText("Save")
        dialog.textValueSelected.connect(self._save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save(self, name: str) -> None:
        if saved := self._quantize.save_recipe(self._model.recipe, name, self._model.origin):
            self.saved.emit(saved)

    def leave(self) -> None:
        """Go back, after a question if there are unsaved changes."""
        if not self._model.can_undo:
            self.back_requested.emit()
            return
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", "Save the changes to this recipe?", parent=self)
        box.setInformativeText("Your changes will be lost if you don't save them.")
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        save = box.addButton("Save…", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Don't Save", QMessageBox.ButtonRole.DestructiveRole)
        save.clicked.connect(self.ask_for_name)
        discard.clicked.connect(self.back_requested)
        box.finished.connect(box.deleteLater)
        box.open()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self._model.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self._model.redo()
        else:
            super().keyPressEvent(event)

    def _arrange(self) -> None:
        """Arrange the treatments next to the map, or above it."""
        is_wide = self.width() >= self._theme.scaled(_WIDE)
        self._body.setDirection(QBoxLayout.Direction.RightToLeft if is_wide else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(self._theme.scaled(_SIDE_WIDTH) if is_wide else 0)
        self._side.setMaximumWidth(self._theme.scaled(_SIDE_WIDTH) if is_wide else _NO_LIMIT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
