"""Renames and deletes models."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelLibrary, ModelRole, Row
from mlx_engine.amounts import format_disk
from mlx_engine.errors import FacetError
from mlx_engine.models.library import removal


class ModelFileActions(QObject):
    """Changes the models of `library`; `folder` is Facet's models folder."""

    deleted = Signal(str, str)  # name, sentence about disk space
    renamed = Signal(str, str)  # old id, new id
    problem = Signal(str, str)  # title, message

    def __init__(self, library: ModelLibrary, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._folder = library, folder

    def is_managed(self, row: Row) -> bool:
        """Return True if the model is in Facet's models folder, so that Facet may rename and publish it."""
        return row.path.is_relative_to(self._folder)

    def lock_reason(self, row: Row) -> str:
        """Return a sentence on why the model can be neither renamed nor deleted now, or ""."""
        state = self._library.index(self._library.row_of(row.id)).data(ModelRole.STATE)
        is_loaded = state is not None and describe_engine(state).is_loaded
        return "The model is loaded. Unload it first." if is_loaded else ""

    def describe_deletion(self, row: Row) -> str:
        """Return a sentence on the disk space that deleting the model frees; "" if that is unknown."""
        try:
            return _describe_removal(removal.plan_removal(row))
        except FacetError:
            return ""

    def delete(self, row: Row) -> None:
        """Move the model to the Trash."""
        title = f"Couldn't delete {row.name}"
        if refusal := self.lock_reason(row):
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
        """Rename the folder of the model."""
        name = name.strip()
        if name in ("", row.name):
            return
        title = f"Couldn't rename {row.name}"
        if refusal := self.lock_reason(row):
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
    gain = f"Frees {format_disk(plan.frees_bytes)} when you empty the Trash."
    if not plan.shared_bytes:
        return gain
    return f"{gain} {format_disk(plan.shared_bytes)} are kept, because other models or links use them."
