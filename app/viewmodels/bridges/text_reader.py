"""Asks a job process whether a text can be measured on, and how much of it there is for a model's tokenizer."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.viewmodels.bridges.session import SessionBridge
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import JobFailed
from mlx_engine.measure.results.messages import CorpusRead, ReadCorpus
from mlx_engine.measure.study.plan import Plan

Answered = Callable[[CorpusRead | JobFailed], None]


class TextReader(QObject):
    """One question at a time: a new one drops the one before. `command` starts the process, which has no network."""

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._answered: Answered | None = None
        self._session = SessionBridge(self._answer, logs, self, needs_network=False, command=command)

    def read(self, model: Path, plan: Plan, answered: Answered) -> None:
        """Ask about the text of `plan`; `answered` gets how much it is, or what is wrong with it."""
        question = ReadCorpus(
            id=uuid.uuid4().hex,
            model=str(model),
            corpus=plan.corpus,
            convention=plan.convention,
            limit_tokens=plan.limit_tokens,
        )
        self._session.drop()
        self._answered = answered
        self._session.ask(question)

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._answered = None
        self._session.close()

    def _answer(self, event: JobEvent) -> None:
        answered, self._answered = self._answered, None
        if answered and isinstance(event, CorpusRead | JobFailed):
            answered(event)
