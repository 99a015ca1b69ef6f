"""Whether the Hub has a newer revision of a model, asked only when the person wants to know."""

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
class Asking:
    """The answer is under way."""


@dataclass(frozen=True, slots=True)
class UpToDate:
    """What is here is what the Hub has."""


@dataclass(frozen=True, slots=True)
class Newer:
    """The repository has changed on that day (ISO 8601) since."""

    day: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """`problem` is a sentence."""

    problem: str


Answer = Asking | UpToDate | Newer | Unanswered


class NewerRevision(QObject):
    """Answers are kept until the app ends. The process that asks ends with the last of them."""

    changed = Signal()

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._questions = Questions(logs, self, command=command)
        self._answers: dict[tuple[str, str], Answer] = {}

    def answer(self, row: Row | None) -> Answer | None:
        """Return what is known, None if nobody has asked yet."""
        return self._answers.get(_key(row)) if row else None

    def can_ask(self, row: Row | None) -> bool:
        """Tell whether it is known from which commit of which repository the model comes."""
        repository, revision = _key(row)
        return bool(_REPOSITORY.fullmatch(repository) and _COMMIT.fullmatch(revision))

    def ask(self, row: Row | None) -> None:
        """Ask the Hub."""
        if not self.can_ask(row):
            return
        repository, revision = key = _key(row)
        self._take(key, Asking())

        def answered(event: JobReply) -> None:
            self._take(key, _answer(event, revision))
            if not any(isinstance(answer, Asking) for answer in self._answers.values()):
                self._questions.close()

        self._questions.ask(ReadModel(new_id(), repository), answered)

    def close(self) -> None:
        self._questions.close()

    def _take(self, key: tuple[str, str], answer: Answer) -> None:
        self._answers[key] = answer
        self.changed.emit()


def _key(row: Row | None) -> tuple[str, str]:
    return (row.source, row.revision) if isinstance(row, ModelDescription) else ("", "")


def _answer(event: JobReply, revision: str) -> Answer:
    match event:
        case ModelPage(commit=commit) if commit.startswith(revision):
            return UpToDate()
        case ModelPage(variant=variant):
            return Newer(variant.updated)
        case RequestFailed(message=message):
            return Unanswered(message)
        case _:
            return Unanswered("The Hub gave no answer.")
