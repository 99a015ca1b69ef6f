"""Which models the table shows, and in which order."""

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
class Facet:
    """A property by which models are told apart; `read` gives its value in words, "" where there is none.

    Values named in `order` come first in a list of them, in that order.
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
    return "Cannot chat" if problem_of(row) else "Can chat"


ORIGINS = {"facet": "Facet", "huggingface": "Hugging Face", "lmstudio": "LM Studio", "added": "Added folder"}
"""Whose folder a model lies in."""
_CLASSES = ("Nano", "Micro", "Small", "Medium", "Large")

FACETS: Sequence[Facet] = (
    Facet("use", "Use", _use, ("Can chat", "To import", "Cannot chat", "Damaged")),
    Facet("class", "Size", _of_model(lambda model: model.size_class.capitalize()), _CLASSES),
    Facet("bits", "Bits", _of_model(lambda model: f"{model.bits[0]}-bit" if model.bits else "")),
    Facet("source", "Source", lambda row: ORIGINS[row.origin], tuple(ORIGINS.values())),
)


class ModelFilter(QSortFilterProxyModel):
    """The table of `source`, less what was not asked for. Models that cannot be used come last in every order."""

    filter_changed = Signal()

    def __init__(self, source: ModelTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = source
        self._words: tuple[str, ...] = ()
        self._chosen: dict[str, frozenset[str]] = {}
        self.setSourceModel(source)
        self.sort(0)

    def set_text(self, text: str) -> None:
        """Show only models in which every word of `text` is found."""
        with self._filtering_anew():
            self._words = tuple(text.casefold().split())

    def chosen(self, facet: str) -> Set[str]:
        """Return the values that were asked for; none stand for all."""
        return self._chosen.get(facet, frozenset())

    def choose(self, facet: str, values: Set[str]) -> None:
        """Show only models whose facet has one of the values; without values, all."""
        with self._filtering_anew():
            self._chosen[facet] = frozenset(values)

    def clear(self) -> None:
        """Show all models."""
        with self._filtering_anew():
            self._words, self._chosen = (), {}

    def values(self, facet: Facet) -> Mapping[str, int]:
        """Return the values that the models have, and how many have each."""
        counts = Counter(value for row in self._table.library.rows if (value := facet.read(row)))
        order = {value: number for number, value in enumerate(facet.order)}
        return {value: counts[value] for value in sorted(counts, key=lambda one: (order.get(one, len(order)), one))}

    def filterAcceptsRow(self, source_row: int, _parent: Index) -> bool:
        row = self._table.library.rows[source_row]
        if any(values and facet.read(row) not in values for facet, values in self._active()):
            return False
        return not self._words or self._has_words(row)

    def lessThan(self, left: Index, right: Index) -> bool:
        rows, column = self._table.library.rows, COLUMNS[left.column()]
        one, other = rows[left.row()], rows[right.row()]
        if isinstance(one, ModelDescription) and isinstance(other, ModelDescription):
            around = self._table.surroundings
            return (column.key(one, around), one.id) < (column.key(other, around), other.id)
        if isinstance(one, ModelDescription) == isinstance(other, ModelDescription):
            return one.id < other.id
        return isinstance(one, ModelDescription) == (self.sortOrder() == Qt.SortOrder.AscendingOrder)

    def _has_words(self, row: Row) -> bool:
        text = row.id
        if isinstance(row, ModelDescription):
            text = f"{row.id} {row.architecture} {row.quantization} {row.license} {row.source}"
        text = text.casefold()
        return all(word in text for word in self._words)

    def _active(self) -> Sequence[tuple[Facet, frozenset[str]]]:
        return [(facet, self._chosen[facet.name]) for facet in FACETS if facet.name in self._chosen]

    @contextmanager
    def _filtering_anew(self) -> Iterator[None]:
        self.beginFilterChange()
        yield
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)
        self.filter_changed.emit()
