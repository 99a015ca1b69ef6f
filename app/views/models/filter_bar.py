"""Filter of the models table: a search field and a chip for each facet."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.library.filter import FACETS, ModelFacet, ModelFilter
from app.viewmodels.library.memory_fit import CONTEXTS, USUAL_CONTEXT
from app.views.kit.buttons import IconButton
from app.views.kit.chips import ChoiceChip, MenuChip
from app.views.kit.fields.text_field import SearchField
from app.views.kit.flow import Flow
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context

_CONTEXTS = {f"Memory at {format_context(tokens)}": tokens for tokens in (USUAL_CONTEXT, *CONTEXTS)}
"""Labels and tokens; the first is the default."""


class FacetChip(MenuChip):
    """A menu of the values of a facet; the chip shows the selected ones."""

    def __init__(self, models: ModelFilter, facet: ModelFacet, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, facet.title, parent)
        self._models, self._facet = models, facet
        models.filter_changed.connect(self._refresh)
        self._refresh()

    @property
    def is_set(self) -> bool:
        return bool(self._models.selection(self._facet.name))

    def menu(self) -> QMenu:
        """Return a menu of all values with their numbers of models."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for value, count in self._models.values(self._facet).items():
            is_selected = value in self._models.selection(self._facet.name)
            action = QAction(f"{value}  ({count})", menu, checkable=True, checked=is_selected)
            action.triggered.connect(lambda _checked=False, value=value: self._toggle(value))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction("All", lambda: self._models.select(self._facet.name, frozenset())).setEnabled(self.is_set)
        return menu

    def _toggle(self, value: str) -> None:
        self._models.select(self._facet.name, self._models.selection(self._facet.name) ^ {value})

    def _refresh(self) -> None:
        selection = sorted(self._models.selection(self._facet.name))
        summary = selection[0] if len(selection) == 1 else f"{len(selection)} selected"
        self.setText(f"{self._facet.title}: {summary}" if selection else self._facet.title)
        self.setAccessibleName(f"Filter by {self._facet.title}: {', '.join(selection) or 'all'}")
        self.updateGeometry()
        self.update()


class FilterBar(QWidget):
    """Search field, button for adding models, facet chips, and the context for memory estimates."""

    context_changed = Signal(int)  # tokens

    def __init__(self, models: ModelFilter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.search = SearchField(theme, "Filter models", "Filter by name, architecture or license")
        self.add = IconButton(theme, "plus", "Add a model folder or GGUF file…")
        self._context = ChoiceChip(theme, "Memory at", _CONTEXTS, is_order=True, parent=self)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.search, 1)
        row.addWidget(self.add)
        chips = [FacetChip(models, facet, theme) for facet in FACETS]
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(Flow([*chips, self._context]))
        self.search.textChanged.connect(models.set_text)
        self._context.value_changed.connect(lambda: self.context_changed.emit(self._context.value))

    def clear(self) -> None:
        """Clear the filter."""
        self.search.clear()
        self._models.clear()
