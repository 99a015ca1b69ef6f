"""A text of the person's own: the original reads it, then each candidate that is looked at, one after the other."""

from collections.abc import Callable
from pathlib import Path

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.tokens.candidates import Candidate
from app.viewmodels.tokens.states import Broken, Busy, Idle, State
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import (
    AnswersKept,
    AnswersUnderway,
    CorpusSource,
    FidelityMeasured,
    FidelityUnderway,
    KeepAnswers,
    MeasureFidelity,
)
from mlx_engine.measure.results.private_texts import forget_typed, typed
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.study.study import Row
from mlx_engine.protocol import RequestFailed

_FEWEST_CHARACTERS = 40
"""Less says nothing about a model."""
_TOO_SHORT = Broken("The text is too short", "Give a few sentences: the models need something to go on from.")


class OwnText:
    """`tell` hears how it stands, `found` is called when a candidate was measured; `candidate` is the one that is
    looked at, which may change at any time.
    """

    def __init__(
        self,
        questions: Questions,
        folders: Folders,
        *,
        candidate: Callable[[], Candidate | None],
        tell: Callable[[State], None],
        found: Callable[[], None],
    ) -> None:
        self._questions, self._folders = questions, folders
        self._candidate, self._tell, self._found = candidate, tell, found
        self._answers = self._words = ""
        self._results: dict[str, FidelityResult] = {}
        self.is_kept = False
        """Whether such a text is on the disk."""

    @property
    def folder(self) -> Path:
        """Where texts are kept with what the original answers."""
        return self._folders.answers

    @property
    def is_answered(self) -> bool:
        """Whether the original has read the text."""
        return bool(self._answers)

    @property
    def result(self) -> FidelityResult | None:
        """What was found of the candidate, None if it has not read the text."""
        candidate = self._candidate()
        return self._results.get(candidate.name) if candidate else None

    def look(self) -> None:
        """See whether one is on the disk from another day."""
        self.is_kept = any(typed(self._folders))

    def measure(self, text: str, original: Row) -> None:
        """Let the original read `text`, and then the candidate."""
        self.clear()
        if len(text.strip()) < _FEWEST_CHARACTERS:
            self._tell(
                Broken("The text is too short", "Give a few sentences: the models need something to go on from.")
            )
            return
        # The answers stand on the disk as they come.
        self.is_kept = True
        self._say("The original reads your text…")
        corpus = CorpusSource(text=text)
        self._measure(KeepAnswers(id=original.label, model=original.path, corpus=corpus))

    def compare(self) -> None:
        """Hold the candidate against what the original has answered."""
        if not (candidate := self._candidate()):
            return
        row, bits = candidate.row, candidate.result.cache_bits
        self._say(f"{candidate.name} reads your text…")
        self._measure(MeasureFidelity(id=row.label, model=row.path, answers=self._answers, cache_bits=bits))

    def stop(self) -> None:
        """Give up what is being measured."""
        self._questions.close()
        self._tell(Idle("Stopped."))

    def clear(self) -> None:
        """Be done with the text; what is on the disk stays."""
        self._questions.close()
        self._answers = ""
        self._results.clear()

    def forget(self) -> None:
        """Remove all such texts from the disk, and what was measured on them."""
        self.clear()
        try:
            forget_typed(self._folders)
        except FacetError as error:
            self._tell(Broken("The text is still on the disk", error.message))
            return
        self.is_kept = False
        self._tell(Idle(""))

    def _measure(self, request: KeepAnswers | MeasureFidelity) -> None:
        # Each model gets a new process, so that the memory of the one before is free.
        self._questions.close()
        self._questions.ask(request, self._take)

    def _say(self, words: str) -> None:
        self._words = words
        self._tell(Busy(words))

    def _take(self, event: JobReply) -> None:
        match event:
            case RequestFailed():
                self._questions.close()
                self._tell(Broken(event.title, event.message))
            case AnswersUnderway() | FidelityUnderway():
                self._tell(Busy(self._words, event.done / max(event.total, 1)))
            case AnswersKept():
                self._answers = event.answers
                self.compare()
            case FidelityMeasured() if candidate := self._candidate():
                self._results[candidate.name] = event.result
                # The process ends, and with it what the model took.
                self._questions.close()
                self._found()
