"""What narrows the table: words, and a chip for each facet."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.library.filter import FACETS, Facet, ModelFilter
from app.viewmodels.library.memory_fit import CONTEXTS, USUAL_CONTEXT
from app.views.kit.buttons import IconButton
from app.views.kit.chips import ChoiceChip, MenuChip
from app.views.kit.fields.text_field import SearchField
from app.views.kit.flow import Flow
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context

_CONTEXTS = {f"Memory at {format_context(tokens)}": tokens for tokens in (USUAL_CONTEXT, *CONTEXTS)}
"""Words and tokens; the first is the usual one."""


class FacetChip(MenuChip):
    """The values of a facet in a menu; the chip says what was chosen of them."""

    def __init__(self, models: ModelFilter, facet: Facet, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, facet.title, parent)
        self._models, self._facet = models, facet
        models.filter_changed.connect(self._follow)
        self._follow()

    @property
    def is_set(self) -> bool:
        return bool(self._models.chosen(self._facet.name))

    def menu(self) -> QMenu:
        """Return the menu of all values, each with the number of models that have it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for value, count in self._models.values(self._facet).items():
            chosen = self._models.chosen(self._facet.name)
            action = QAction(f"{value}  ({count})", menu, checkable=True, checked=value in chosen)
            action.triggered.connect(lambda _checked=False, value=value: self._toggle(value))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction("All", lambda: self._models.choose(self._facet.name, frozenset())).setEnabled(self.is_set)
        return menu

    def _toggle(self, value: str) -> None:
        self._models.choose(self._facet.name, self._models.chosen(self._facet.name) ^ {value})

    def _follow(self) -> None:
        chosen = sorted(self._models.chosen(self._facet.name))
        values = chosen[0] if len(chosen) == 1 else f"{len(chosen)} chosen"
        self.setText(f"{self._facet.title}: {values}" if chosen else self._facet.title)
        self.setAccessibleName(f"Filter by {self._facet.title}: {', '.join(chosen) or 'all'}")
        self.updateGeometry()
        self.update()


class FilterBar(QWidget):
    """The words over what narrows the table; the context that memory is reckoned with; adding models."""

    context_chosen = Signal(int)  # tokens

    def __init__(self, models: ModelFilter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.words = SearchField(theme, "Filter models", "Filter by name, architecture or license")
        self.add = IconButton(theme, "plus", "Add a model from a folder or a GGUF file…")
        self._context = ChoiceChip(theme, "Memory at", _CONTEXTS, is_order=True, parent=self)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.add)
        chips = [FacetChip(models, facet, theme) for facet in FACETS]
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 8)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(Flow([*chips, self._context]))
        self.words.textChanged.connect(models.set_text)
        self._context.value_changed.connect(lambda: self.context_chosen.emit(self._context.value))

    def clear(self) -> None:
        """Show all models again."""
        self.words.clear()
        self._models.clear()
