"""The token view of a study: candidate, part of the text, and current token."""

from typing import Literal, Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.tokens.candidates import Candidate, candidates, chunk_kinds
from app.viewmodels.tokens.passage import Passage, step_from
from app.viewmodels.tokens.pasted_text import PastedText
from app.viewmodels.tokens.states import NoText, ReadingText, TextFailed, TextShown, TokenViewState
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import ReadTokens, TokensRead
from mlx_engine.measure.results.results import Divergence, FidelityResult, fidelity_folder
from mlx_engine.measure.study.study import Study
from mlx_engine.protocol import RequestFailed, new_id

USER_TEXT = "Your own text"
"""Entry after the kinds of the corpus."""


class StudySource(Protocol):
    """Provides the current study."""

    changed: SignalInstance

    @property
    def study(self) -> Study | None: ...
    @property
    def running(self) -> str: ...


_Destination = Divergence | int | Literal["first", "last"] | None
"""Target in a passage that is still being read: a token, or the first or last flip."""


class TokenViewModel(QObject):
    """Reads nothing before `start`, so a hidden view costs nothing."""

    changed = Signal()  # the state or the choices
    moved = Signal()  # `current`

    def __init__(self, lab: StudySource, questions: Questions, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab, self._questions, self._results = lab, questions, folders.measurements
        self.state: TokenViewState = NoText("")
        self.candidates: list[Candidate] = []
        self.candidate: Candidate | None = None
        self.kind = ""
        self.chunk = 0
        self.current: int | None = None
        """Current token of the passage."""
        self._destination: _Destination = None
        self._has_started = False
        self._previous = ""
        self.pasted = PastedText(
            questions, folders, candidate=lambda: self.candidate, set_state=self._set, on_measured=lambda: self._read(0)
        )
        lab.changed.connect(self._on_study_changed)

    def start(self) -> None:
        """Show the first text of the first candidate."""
        self._has_started = True
        self.pasted.check_disk()
        self._on_study_changed()

    def close(self) -> None:
        self._questions.close()

    @property
    def kinds(self) -> list[str]:
        """Kinds of the measured texts, and the user's text."""
        return [*(self.candidate.result.by_kind if self.candidate else ()), USER_TEXT]

    @property
    def is_pasted(self) -> bool:
        """True for the user's text."""
        return self.kind == USER_TEXT

    @property
    def result(self) -> FidelityResult | None:
        """Result of the candidate, on the corpus or on the user's text."""
        if self.candidate is None:
            return None
        return self.pasted.result if self.is_pasted else self.candidate.result

    @property
    def chunks(self) -> list[int]:
        """Indexes of the chunks of this kind."""
        if self.result is None:
            return []
        if self.is_pasted:
            return list(range(self.result.fidelity.chunks))
        return [number for number, kind in enumerate(chunk_kinds(self.result)) if kind == self.kind]

    @property
    def worst(self) -> tuple[Divergence, ...]:
        """Places with the highest KL divergence, over all texts."""
        return self.result.worst if self.result else ()

    @property
    def problem(self) -> str:
        """Reason why a text cannot be measured now, or ""."""
        if self._lab.running:
            return "A study is running. Two models at a time may not fit in memory."
        return "" if self.candidate else "Measure a model of this study first."

    def choose_candidate(self, name: str) -> None:
        """Show the same text for another candidate."""
        candidate = next((candidate for candidate in self.candidates if candidate.name == name), None)
        if candidate and candidate != self.candidate:
            self._previous = self.candidate.name if self.candidate else ""
            self.candidate, self._destination = candidate, self.current
            if not self.is_pasted:
                self._read()
            elif self.pasted.is_answered or not isinstance(self.state, ReadingText):
                # The predictions of the original serve all candidates.
                self._show_pasted()

    def swap(self) -> None:
        """Switch back to the previous candidate."""
        self.choose_candidate(self._previous)

    def choose_kind(self, kind: str) -> None:
        """Show the first text of another kind."""
        if kind != self.kind:
            self.kind, self._destination = kind, None
            if self.is_pasted:
                self._show_pasted()
            else:
                self._read(self.chunks[0])

    def choose_chunk(self, chunk: int) -> None:
        if chunk in self.chunks and chunk != self.chunk:
            self._destination = None
            self._read(chunk)

    def turn(self, direction: int) -> None:
        """Go to the next chunk of this kind, or with -1 to the one before."""
        chunk = step_from(self.chunks, self.chunk, direction)
        if chunk is not None:
            self.choose_chunk(chunk)

    def go_to(self, token: int) -> None:
        """Make this the current token."""
        self.current = token
        self.moved.emit()

    def step(self, direction: int) -> bool:
        """Go to the next flip, or with -1 to the previous one. Return False if there is none."""
        if not isinstance(self.state, TextShown):
            return False
        position = step_from(self.state.passage.flips, self.current, direction)
        if position is not None:
            self.go_to(position)
            return True
        chunk = step_from(self.chunks, self.chunk, direction)
        if chunk is not None:
            self._destination = "first" if direction > 0 else "last"
            self._read(chunk)
        return chunk is not None

    def jump(self, divergence: Divergence) -> None:
        """Go to one of the worst places, in any text."""
        self._destination = divergence
        if not self.is_pasted:
            self.kind = divergence.kind
        if divergence.chunk == self.chunk and isinstance(self.state, TextShown):
            self._go_to_destination(self.state.passage)
            self.moved.emit()
        else:
            self._read(divergence.chunk)

    def measure(self, text: str) -> None:
        """Measure the user's text with the original and then with the candidate."""
        if self.problem or not self.candidate or not self._lab.study:
            return
        self.kind, self._destination = USER_TEXT, None
        self.pasted.measure(text, self._lab.study.original)

    def _on_study_changed(self) -> None:
        study = self._lab.study
        self.candidates = list(candidates(study)) if study else []
        names = [candidate.name for candidate in self.candidates]
        if self.candidate and self.candidate.name in names and self._is_same():
            self.candidate = self.candidates[names.index(self.candidate.name)]
            self.changed.emit()
            return
        # A running measurement is about another original.
        self.pasted.clear()
        self.current = None
        self.candidate = self.candidates[0] if self.candidates else None
        if self.candidate is None:
            self._set(NoText("Results appear here, token by token, once a model of this study is measured."))
        elif self._has_started:
            self.kind = next(iter(self.candidate.result.by_kind), USER_TEXT)
            self._read(0)

    def _is_same(self) -> bool:
        """Return True if the candidate was not measured again and is on display."""
        is_read = not self._has_started or not isinstance(self.state, NoText) or self.is_pasted
        current = self.candidate
        return is_read and current is not None and any(other.result == current.result for other in self.candidates)

    def _read(self, chunk: int | None = None) -> None:
        """Request a chunk, by default the current one."""
        if self.result is None:
            return
        self.chunk = self.chunk if chunk is None else chunk
        folder = fidelity_folder(self.result, self._results)
        if not isinstance(self.state, TextShown):
            self._set(ReadingText("Reading…"))
        request = ReadTokens(id=new_id(), result=str(folder), chunk=self.chunk)
        self._questions.ask(request, self._on_reply, latest_only=True)

    def _show_pasted(self) -> None:
        """Show the user's text for the candidate, after measuring it if necessary."""
        if self.result:
            self._read(0)
        elif self.pasted.is_answered and not self.problem:
            self.pasted.compare()
        else:
            self._questions.close()
            self.chunk = 0
            self._set(NoText(""))

    def _on_reply(self, event: JobReply) -> None:
        match event:
            case RequestFailed():
                self._set(TextFailed(event.title, event.message))
            case TokensRead():
                self._show(event)

    def _show(self, read: TokensRead) -> None:
        assert self.result and self.candidate  # noqa: S101, PT018 - they were requested
        reference = self.result.reference.rpartition("/")[2]
        passage = Passage(read, reference, self.candidate.name)
        self.current = None
        self._go_to_destination(passage)
        self._set(TextShown(passage))

    def _go_to_destination(self, passage: Passage) -> None:
        """Make the requested token of this passage the current one."""
        destination, self._destination = self._destination, None
        match destination:
            case Divergence():
                token = destination.position - passage.read.first_scored
            case "first" | "last" if passage.flips:
                token = passage.flips[0 if destination == "first" else -1]
            case int():
                token = destination
            case _:
                return
        self.current = token if 0 <= token < len(passage.tokens) else None

    def _set(self, state: TokenViewState) -> None:
        self.state = state
        self.changed.emit()
