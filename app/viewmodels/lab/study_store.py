"""The studies on this Mac, in memory and on the disk."""

import contextlib
from collections.abc import Collection, Iterable

import msgspec

from mlx_engine.errors import FacetError, InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.study import study_file
from mlx_engine.measure.study.past_chats import delete_unused
from mlx_engine.measure.study.study import Study

RUNNING_FILE = "running"
"""Contains the name of the running study, and survives a crash."""


class StudyStore:
    """Loads all studies at once, and writes every change to the disk."""

    def __init__(self, folders: Folders) -> None:
        self._folders, self._root = folders, folders.studies
        self._studies = self._load()
        if folders.chats.exists():
            with contextlib.suppress(FacetError):  # Leftovers are harmless, and the next start tries again.
                self._delete_unused()

    @property
    def names(self) -> list[str]:
        """The names of all studies, latest first."""
        return sorted(self._studies, key=lambda name: self._studies[name].created, reverse=True)

    @property
    def studies(self) -> list[Study]:
        return list(self._studies.values())

    def get(self, name: str) -> Study | None:
        return self._studies.get(name)

    def reload(self, *, keep: Collection[str]) -> bool:
        """Load changes by other processes, except to the studies in `keep`; return True if there are any."""
        studies = self._load()
        for name in keep:
            studies.pop(name, None)
            studies |= {name: self._studies[name]} if name in self._studies else {}
        has_changed, self._studies = studies != self._studies, studies
        return has_changed

    def update(self, study: Study) -> None:
        """Replace a study in memory by the version that is already on the disk."""
        self._studies[study.plan.name] = study

    def save(self, study: Study) -> None:
        """Write the study.

        Raises:
            StorageError: it cannot be written.
        """
        study_file.save_study(study, self._root)
        self.update(study)

    def add(self, study: Study) -> None:
        """Write a new study.

        Raises:
            InvalidParameter: another study has its name.
            StorageError: it cannot be written.
        """
        self._require_unused_name(study.plan.name, self._studies)
        self.save(study)

    def delete(self, name: str) -> None:
        """Delete the study, and private data that only this study needed.

        Raises:
            StorageError: it cannot be deleted.
        """
        study_file.delete_study(name, self._root)
        del self._studies[name]
        self._delete_unused()

    def rename(self, name: str, new: str) -> None:
        """Rename the study.

        Raises:
            InvalidParameter: another study has the name.
            StorageError: it cannot be written.
        """
        self._require_unused_name(new, (existing for existing in self._studies if existing != name))
        study = self._studies[name]
        # Both names may map to the same file, so the old one is deleted first.
        study_file.delete_study(name, self._root)
        del self._studies[name]
        self.save(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name=new)))

    @property
    def running_name(self) -> str:
        """The name of the study that ran when Facet quit or crashed, "" if none did."""
        try:
            return (self._root / RUNNING_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def set_running_name(self, name: str) -> None:
        """Write the name of the running study, "" for none."""
        # Without the file, the next start only does not offer to resume.
        with contextlib.suppress(OSError):
            file = self._root / RUNNING_FILE
            if name:
                file.write_text(name, encoding="utf-8")
            else:
                file.unlink(missing_ok=True)

    def _load(self) -> dict[str, Study]:
        return {study.plan.name: study for study in study_file.all_studies(self._root)}

    def _delete_unused(self) -> None:
        # From the disk, since another process may have added a study.
        delete_unused(self._folders, study_file.all_studies(self._root))

    def _require_unused_name(self, name: str, names: Iterable[str]) -> None:
        if study_file.same_name(name, names):
            raise InvalidParameter(f"A study named {name} already exists. Choose another name.")
