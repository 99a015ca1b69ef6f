"""Checks the Hub for a newer revision of a model, on request only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.library.library import Row
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.hub_messages import ModelPage, ReadModel
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.protocol import RequestFailed, new_id

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Checking:
    """The check is running."""


@dataclass(frozen=True, slots=True)
class UpToDate:
    """The model is the Hub's latest revision."""


@dataclass(frozen=True, slots=True)
class NewerAvailable:
    """The repository was last changed on `day`, an ISO 8601 date."""

    day: str


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """The check failed; `problem` is a sentence."""

    problem: str


RevisionStatus = Checking | UpToDate | NewerAvailable | CheckFailed


class RevisionChecker(QObject):
    """Checks revisions in a process that ends after the last reply; results are kept until the app ends."""

    changed = Signal()

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._questions = Questions(logs, self, command=command)
        self._statuses: dict[tuple[str, str], RevisionStatus] = {}

    def status(self, row: Row | None) -> RevisionStatus | None:
        """Return the status of the model, or None before its first check."""
        return self._statuses.get(_key(row)) if row else None

    def can_check(self, row: Row | None) -> bool:
        """Return True if the repository and commit of the model are known."""
        repository, revision = _key(row)
        return bool(_REPOSITORY.fullmatch(repository) and _COMMIT.fullmatch(revision))

    def check(self, row: Row | None) -> None:
        """Ask the Hub for its latest revision."""
        if not self.can_check(row):
            return
        repository, revision = key = _key(row)
        self._set_status(key, Checking())

        def on_reply(event: JobReply) -> None:
            self._set_status(key, _status(event, revision))
            if not any(isinstance(status, Checking) for status in self._statuses.values()):
                self._questions.close()

        self._questions.ask(ReadModel(new_id(), repository), on_reply)

    def close(self) -> None:
        self._questions.close()

    def _set_status(self, key: tuple[str, str], status: RevisionStatus) -> None:
        self._statuses[key] = status
        self.changed.emit()


def _key(row: Row | None) -> tuple[str, str]:
    return (row.source, row.revision) if isinstance(row, ModelDescription) else ("", "")


def _status(event: JobReply, revision: str) -> RevisionStatus:
    match event:
        case ModelPage(commit=commit) if commit.startswith(revision):
            return UpToDate()
        case ModelPage(variant=variant):
            return NewerAvailable(variant.updated)
        case RequestFailed(message=message):
            return CheckFailed(message)
        case _:
            return CheckFailed("The Hugging Face Hub did not respond. Try again later.")
