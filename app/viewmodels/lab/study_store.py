"""The studies that are kept on this machine."""

import contextlib
from collections.abc import Collection, Iterable

import msgspec

from mlx_engine.errors import FacetError, InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.study import study_file
from mlx_engine.measure.study.past_chats import delete_unused
from mlx_engine.measure.study.study import Study

RUNNING_FILE = "underway"
"""The file that names the study that is running; it outlives a kill."""


class StudyStore:
    """Knows what there is, and writes every change through."""

    def __init__(self, folders: Folders) -> None:
        self._folders, self._root = folders, folders.studies
        self._studies = {study.plan.name: study for study in study_file.all_studies(self._root)}
        if folders.chats.exists():
            with contextlib.suppress(FacetError):  # They are in nobody's way; the next run tries it again.
                self._forget_unused()

    @property
    def names(self) -> list[str]:
        """The names of all studies, the latest first."""
        return sorted(self._studies, key=lambda name: self._studies[name].created, reverse=True)

    @property
    def studies(self) -> list[Study]:
        return list(self._studies.values())

    def get(self, name: str) -> Study | None:
        return self._studies.get(name)

    def look(self, *, spared: Collection[str]) -> bool:
        """See what the command line has run, or somebody has deleted, but for those that are `spared`; tell whether
        anything is different.
        """
        found = {study.plan.name: study for study in study_file.all_studies(self._root)}
        for name in spared:
            found.pop(name, None)
            found |= {name: self._studies[name]} if name in self._studies else {}
        is_new, self._studies = found != self._studies, found
        return is_new

    def take(self, study: Study) -> None:
        """Know the study as it is on the disk already."""
        self._studies[study.plan.name] = study

    def keep(self, study: Study) -> None:
        """Write the study.

        Raises:
            StorageError: it cannot be written.
        """
        study_file.save_study(study, self._root)
        self.take(study)

    def add(self, study: Study) -> None:
        """Write a new study.

        Raises:
            InvalidParameter: another study has its name.
            StorageError: it cannot be written.
        """
        self._require_free(study.plan.name, self._studies)
        self.keep(study)

    def forget(self, name: str) -> None:
        """Remove the study, and what is kept of private texts that only this one needed.

        Raises:
            StorageError: it cannot be removed.
        """
        study_file.delete_study(name, self._root)
        del self._studies[name]
        self._forget_unused()

    def rename(self, name: str, new: str) -> None:
        """Give the study another name.

        Raises:
            InvalidParameter: another study has it.
            StorageError: it cannot be written.
        """
        self._require_free(new, (other for other in self._studies if other != name))
        study = self._studies[name]
        # The two names may be one on the disk: the old file goes first.
        study_file.delete_study(name, self._root)
        del self._studies[name]
        self.keep(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name=new)))

    def _forget_unused(self) -> None:
        # As they are on the disk: another process may have begun one.
        delete_unused(self._folders, study_file.all_studies(self._root))

    def _require_free(self, name: str, others: Iterable[str]) -> None:
        if study_file.same_name(name, others):
            raise InvalidParameter(f"There is a study called {name} already. Choose another name.")

    @property
    def under_way(self) -> str:
        """The name of the study that ran when Facet ended, "" if none did."""
        try:
            return (self._root / RUNNING_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def write_under_way(self, name: str) -> None:
        """Note which study runs, or with "" that none does."""
        # Without the file, the next run of Facet does not offer to go on; that is no reason not to begin.
        with contextlib.suppress(OSError):
            file = self._root / RUNNING_FILE
            if name:
                file.write_text(name, encoding="utf-8")
            else:
                file.unlink(missing_ok=True)
