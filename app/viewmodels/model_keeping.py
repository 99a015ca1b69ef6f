"""What a person does with a model that is there: rename it, delete it."""

from pathlib import Path

from PySide6.QtCore import QFile, QObject, Signal

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.engine_words import in_words
from app.viewmodels.model_library import ModelLibrary, ModelRole, Row
from mlx_engine.models.describe import ModelDescription


class ModelKeeping(QObject):
    """Acts on the models of `library` that lie in `folder`, Facet's own."""

    deleted = Signal(str, str)  # name, what it frees in words
    renamed = Signal(str, str)  # old id, new id
    problem = Signal(str, str)  # title, message

    def __init__(self, library: ModelLibrary, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._folder = library, folder

    def is_own(self, row: Row) -> bool:
        """Return whether the model lies in Facet's own folder, and so is Facet's to rename and delete."""
        return row.path.is_relative_to(self._folder)

    def why_not_deleted(self, row: Row) -> str:
        """Return why the model cannot be deleted now, in a sentence, or nothing."""
        if not self.is_own(row):
            return "Another program keeps this model: delete it there."
        state = self._library.index(self._library.row_of(row.id)).data(ModelRole.STATE)
        is_loaded = state is not None and in_words(state).is_loaded
        return "Unload the model before you delete it." if is_loaded else ""

    def what_it_frees(self, row: Row) -> str:
        """Return the space that deleting the model frees, in words; "" where it is not known."""
        return bytes_in_words(row.size_bytes) if isinstance(row, ModelDescription) else ""

    def delete(self, row: Row) -> None:
        """Move the model to the trash."""
        if refusal := self.why_not_deleted(row):
            self.problem.emit(f"{row.name} was not deleted", refusal)
        elif _move_to_trash(row.path):
            self._remove_if_empty(row.path.parent)
            self.deleted.emit(row.name, self.what_it_frees(row))
        else:
            sentence = "The system has no trash for that disk, or Facet may not change the folder."
            self.problem.emit(f"{row.name} could not be moved to the trash", sentence)
        self._library.refresh()

    def rename(self, row: Row, name: str) -> None:
        """Give the folder of the model another name."""
        name = name.strip()
        if name in ("", row.name):
            return
        if refusal := self._refusal(row, name):
            self.problem.emit(f"{row.name} was not renamed", refusal)
            return
        try:
            row.path.rename(row.path.with_name(name))
        except OSError as error:
            self.problem.emit(f"{row.name} was not renamed", f"{error.strerror}: {row.path}.")
            return
        self._library.refresh()
        self.renamed.emit(row.id, f"{row.id.rpartition('/')[0]}/{name}")

    def _refusal(self, row: Row, name: str) -> str:
        if not self.is_own(row):
            return "Another program keeps this model under its name."
        if "/" in name or "\0" in name or name.startswith(".") or name.endswith(".partial"):
            return "A name has no slash, does not begin with a full stop and does not end in “.partial”."
        if refusal := self.why_not_deleted(row):
            return refusal.replace("delete", "rename")
        target = row.path.with_name(name)
        # On disks that do not tell capitals apart, the same folder may be there under the new name.
        if target.exists() and not target.samefile(row.path):
            return f"There is a model called {name} already."
        return ""

    def _remove_if_empty(self, owner: Path) -> None:
        """Take the folder of the owner away with its last model."""
        try:
            owner.rmdir()
        except OSError:
            return


def _move_to_trash(path: Path) -> bool:
    return QFile(str(path)).moveToTrash()
