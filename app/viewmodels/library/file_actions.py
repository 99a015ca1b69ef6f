"""What a person does with a model that is there: rename it, delete it."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelLibrary, ModelRole, Row
from mlx_engine.amounts import format_disk
from mlx_engine.errors import FacetError
from mlx_engine.models.library import removal


class ModelKeeping(QObject):
    """Acts on the models of `library`; `folder` is Facet's own."""

    deleted = Signal(str, str)  # name, what it frees in a sentence
    renamed = Signal(str, str)  # old id, new id
    problem = Signal(str, str)  # title, message

    def __init__(self, library: ModelLibrary, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._folder = library, folder

    def is_own(self, row: Row) -> bool:
        """Return whether the model lies in Facet's own folder, and so is Facet's to rename."""
        return row.path.is_relative_to(self._folder)

    def why_kept(self, row: Row) -> str:
        """Return why the model can neither be renamed nor deleted now, in a sentence, or nothing."""
        state = self._library.index(self._library.row_of(row.id)).data(ModelRole.STATE)
        is_loaded = state is not None and describe_engine(state).is_loaded
        return "The model is loaded: unload it first." if is_loaded else ""

    def what_it_frees(self, row: Row) -> str:
        """Return what deleting the model does to the disk, in a sentence; "" if that cannot be told."""
        try:
            return _describe_removal(removal.plan_removal(row))
        except FacetError:
            return ""

    def delete(self, row: Row) -> None:
        """Move the model to the trash."""
        title = f"{row.name} was not deleted"
        if refusal := self.why_kept(row):
            self.problem.emit(title, refusal)
            return
        try:
            plan = removal.plan_removal(row)
            removal.move_to_trash(plan)
        except FacetError as error:
            self.problem.emit(title, error.message)
        else:
            self.deleted.emit(row.name, _describe_removal(plan))
        self._library.refresh()

    def rename(self, row: Row, name: str) -> None:
        """Give the folder of the model another name."""
        name = name.strip()
        if name in ("", row.name):
            return
        title = f"{row.name} was not renamed"
        if refusal := self.why_kept(row):
            self.problem.emit(title, refusal)
            return
        try:
            removal.rename(row, self._folder, name)
        except FacetError as error:
            self.problem.emit(title, error.message)
        else:
            self._library.refresh()
            self.renamed.emit(row.id, f"{row.id.rpartition('/')[0]}/{name}")


def _describe_removal(plan: removal.Removal) -> str:
    frees = f"{format_disk(plan.frees_bytes)} come free when the trash is emptied."
    if not plan.shared_bytes:
        return frees
    return f"{frees} {format_disk(plan.shared_bytes)} stay, because other models or links need them."
