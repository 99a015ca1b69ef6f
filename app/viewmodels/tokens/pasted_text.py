"""Measures a text of the user: first with the original, then with each chosen candidate."""

from collections.abc import Callable
from pathlib import Path

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.tokens.candidates import Candidate
from app.viewmodels.tokens.states import NoText, ReadingText, TextFailed, TokenViewState
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import (
    CorpusSource,
    FidelityMeasured,
    FidelityProgress,
    MeasureFidelity,
    RecordReference,
    ReferenceProgress,
    ReferenceRecorded,
)
from mlx_engine.measure.results.pasted_text import delete_pasted_texts, pasted_text_folders
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.study.study import Row
from mlx_engine.protocol import RequestFailed

_FEWEST_CHARACTERS = 40
"""Shorter texts say nothing about a model."""
_TOO_SHORT = TextFailed("The text is too short", "Enter at least a few sentences: the models need some context.")


class PastedText:
    """Reports progress to `set_state`, and calls `on_measured` after a candidate. `candidate` returns the current one,
    which can change at any time.
    """

    def __init__(
        self,
        questions: Questions,
        folders: Folders,
        *,
        candidate: Callable[[], Candidate | None],
        set_state: Callable[[TokenViewState], None],
        on_measured: Callable[[], None],
    ) -> None:
        self._questions, self._folders = questions, folders
        self._candidate, self._set_state, self._on_measured = candidate, set_state, on_measured
        self._answers = self._message = ""
        self._results: dict[str, FidelityResult] = {}
        self.is_saved = False
        """True if a text of the user is on disk."""

    @property
    def folder(self) -> Path:
        """Folder of the texts and the predictions of the original."""
        return self._folders.references

    @property
    def is_answered(self) -> bool:
        """True once the original has read the text."""
        return bool(self._answers)

    @property
    def result(self) -> FidelityResult | None:
        """Result of the candidate, or None if it has not read the text."""
        candidate = self._candidate()
        return self._results.get(candidate.name) if candidate else None

    def check_disk(self) -> None:
        """Look for texts on disk from earlier sessions."""
        self.is_saved = any(pasted_text_folders(self._folders))

    def measure(self, text: str, original: Row) -> None:
        """Measure `text` with the original, and then with the candidate."""
        self.clear()
        if len(text.strip()) < _FEWEST_CHARACTERS:
            self._set_state(_TOO_SHORT)
            return
        # Answers are written to disk as they arrive.
        self.is_saved = True
        self._set_busy("The original is reading your text…")
        corpus = CorpusSource(text=text)
        self._measure(RecordReference(id=original.label, model=original.path, corpus=corpus))

    def compare(self) -> None:
        """Compare the candidate with the predictions of the original."""
        if not (candidate := self._candidate()):
            return
        row, bits = candidate.row, candidate.result.cache_bits
        self._set_busy(f"{candidate.name} is reading your text…")
        self._measure(MeasureFidelity(id=row.label, model=row.path, reference_folder=self._answers, cache_bits=bits))

    def stop(self) -> None:
        """Stop the measurement."""
        self._questions.close()
        self._set_state(NoText("Stopped."))

    def clear(self) -> None:
        """Discard the text, but keep its files."""
        self._questions.close()
        self._answers = ""
        self._results.clear()

    def delete(self) -> None:
        """Delete all texts of the user from disk, with their results."""
        self.clear()
        try:
            delete_pasted_texts(self._folders)
        except FacetError as error:
            self._set_state(TextFailed("Couldn't delete the text", error.message))
            return
        self.is_saved = False
        self._set_state(NoText(""))

    def _measure(self, request: RecordReference | MeasureFidelity) -> None:
        # Each model runs in a new process, so that the memory of the previous one is free.
        self._questions.close()
        self._questions.ask(request, self._on_reply)

    def _set_busy(self, message: str) -> None:
        self._message = message
        self._set_state(ReadingText(message))

    def _on_reply(self, event: JobReply) -> None:
        match event:
            case RequestFailed():
                self._questions.close()
                self._set_state(TextFailed(event.title, event.message))
            case ReferenceProgress() | FidelityProgress():
                self._set_state(ReadingText(self._message, event.done / max(event.total, 1)))
            case ReferenceRecorded():
                self._answers = event.reference_folder
                self.compare()
            case FidelityMeasured() if candidate := self._candidate():
                self._results[candidate.name] = event.result
                # Ending the process frees the memory of the model.
                self._questions.close()
                self._on_measured()
