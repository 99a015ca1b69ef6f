"""Filters and sorts the models table."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal

from app.viewmodels.library.columns import COLUMNS
from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import ModelTable
from mlx_engine.models.description.describe import ModelDescription

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class ModelFacet:
    """A property to filter models by; `read` returns its value as text, "" if the model has none.

    A list of values starts with those in `order`.
    """

    name: str
    title: str
    read: Callable[[Row], str]
    order: Sequence[str] = ()


def _of_model(read: Callable[[ModelDescription], str]) -> Callable[[Row], str]:
    return lambda row: read(row) if isinstance(row, ModelDescription) else ""


def _use(row: Row) -> str:
    if not isinstance(row, ModelDescription):
        return "Damaged"
    if row.can_be_imported:
        return "To import"
    return "Can't chat" if problem_of(row) else "Can chat"


ORIGINS = {"facet": "Facet", "huggingface": "Hugging Face", "lmstudio": "LM Studio", "added": "Added folder"}
"""Display names of `origin`, the program whose folder holds a model."""
_CLASSES = ("Nano", "Micro", "Small", "Medium", "Large")

FACETS: Sequence[ModelFacet] = (
    ModelFacet("use", "Use", _use, ("Can chat", "To import", "Can't chat", "Damaged")),
    ModelFacet("class", "Size", _of_model(lambda model: model.size_class.capitalize()), _CLASSES),
    ModelFacet("bits", "Bits", _of_model(lambda model: f"{model.bits[0]}-bit" if model.bits else "")),
    ModelFacet("source", "Source", lambda row: ORIGINS[row.origin], tuple(ORIGINS.values())),
)


class ModelFilter(QSortFilterProxyModel):
    """The rows of `source` that match the filter. Damaged models come last in either sort order."""

    filter_changed = Signal()

    def __init__(self, source: ModelTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = source
        self._terms: tuple[str, ...] = ()
        self._selection: dict[str, frozenset[str]] = {}
        self.setSourceModel(source)
        self.sort(0)

    def set_text(self, text: str) -> None:
        """Show only models that contain every word of `text`."""
        with self._changing_filter():
            self._terms = tuple(text.casefold().split())

    def selection(self, facet: str) -> Set[str]:
        """Return the selected values; an empty set means all."""
        return self._selection.get(facet, frozenset())

    def select(self, facet: str, values: Set[str]) -> None:
        """Show only models whose facet has one of `values`; an empty set shows all."""
        with self._changing_filter():
            self._selection[facet] = frozenset(values)

    def clear(self) -> None:
        """Show all models."""
        with self._changing_filter():
            self._terms, self._selection = (), {}

    def values(self, facet: ModelFacet) -> Mapping[str, int]:
        """Return the values of `facet` with the number of models that have each."""
        counts = Counter(value for row in self._table.library.rows if (value := facet.read(row)))
        order = {value: number for number, value in enumerate(facet.order)}
        return {
            value: counts[value] for value in sorted(counts, key=lambda value: (order.get(value, len(order)), value))
        }

    def filterAcceptsRow(self, source_row: int, _parent: Index) -> bool:
        row = self._table.library.rows[source_row]
        if any(values and facet.read(row) not in values for facet, values in self._active()):
            return False
        return not self._terms or self._contains_terms(row)

    def lessThan(self, left: Index, right: Index) -> bool:
        rows, column = self._table.library.rows, COLUMNS[left.column()]
        first, second = rows[left.row()], rows[right.row()]
        if isinstance(first, ModelDescription) and isinstance(second, ModelDescription):
            inputs = self._table.column_inputs
            return (column.key(first, inputs), first.id) < (column.key(second, inputs), second.id)
        if isinstance(first, ModelDescription) == isinstance(second, ModelDescription):
            return first.id < second.id
        return isinstance(first, ModelDescription) == (self.sortOrder() == Qt.SortOrder.AscendingOrder)

    def _contains_terms(self, row: Row) -> bool:
        text = row.id
        if isinstance(row, ModelDescription):
            text = f"{row.id} {row.architecture} {row.quantization} {row.license} {row.source}"
        text = text.casefold()
        return all(term in text for term in self._terms)

    def _active(self) -> Sequence[tuple[ModelFacet, frozenset[str]]]:
        return [(facet, self._selection[facet.name]) for facet in FACETS if facet.name in self._selection]

    @contextmanager
    def _changing_filter(self) -> Iterator[None]:
        self.beginFilterChange()
        yield
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)
        self.filter_changed.emit()
