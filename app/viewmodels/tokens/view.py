"""A text of a study token by token: which candidate, which part of the text, and where in it one is."""

from typing import Literal, Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.viewmodels.bridges.questions import Questions, new_id
from app.viewmodels.tokens.candidates import Candidate, candidates, chunk_kinds
from app.viewmodels.tokens.own_text import OwnText
from app.viewmodels.tokens.passage import Passage, step_from
from app.viewmodels.tokens.states import Broken, Busy, Idle, Shown, State
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import ReadTokens, TokensRead
from mlx_engine.measure.results.results import Divergence, FidelityResult, fidelity_folder
from mlx_engine.measure.study.study import Study
from mlx_engine.protocol import RequestFailed

OWN = "Your own text"
"""What stands beside the kinds of the corpus."""


class Lab(Protocol):
    """Where studies come from."""

    changed: SignalInstance

    @property
    def study(self) -> Study | None: ...
    @property
    def running(self) -> str: ...


_Place = Divergence | int | Literal["first", "last"] | None
"""Where to be in a passage that is still to be read: at a token, or where the first choices differ."""


class TokenView(QObject):
    """Nothing is read before `begin`: a view that nobody looks at costs nothing."""

    changed = Signal()  # the state, or what can be chosen
    moved = Signal()  # `current`

    def __init__(self, lab: Lab, questions: Questions, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab, self._questions, self._results = lab, questions, folders.measurements
        self.state: State = Idle("")
        self.candidates: list[Candidate] = []
        self.candidate: Candidate | None = None
        self.kind = ""
        self.chunk = 0
        self.current: int | None = None
        """The token that one is at, of the passage that is shown."""
        self._wanted: _Place = None
        self._begun = False
        self._last = ""
        self.own = OwnText(
            questions, folders, candidate=lambda: self.candidate, tell=self._set, found=lambda: self._read(0)
        )
        lab.changed.connect(self._follow)

    def begin(self) -> None:
        """Show the first text of the first candidate."""
        self._begun = True
        self.own.look()
        self._follow()

    def close(self) -> None:
        self._questions.close()

    @property
    def kinds(self) -> list[str]:
        """The kinds of text that were measured, and the person's own."""
        return [*(self.candidate.result.by_kind if self.candidate else ()), OWN]

    @property
    def is_own(self) -> bool:
        """Whether the text is the person's own."""
        return self.kind == OWN

    @property
    def result(self) -> FidelityResult | None:
        """What was found of the candidate, over all texts, or over the person's own one."""
        if self.candidate is None:
            return None
        return self.own.result if self.is_own else self.candidate.result

    @property
    def chunks(self) -> list[int]:
        """The numbers of the chunks of this kind."""
        if self.result is None:
            return []
        if self.is_own:
            return list(range(self.result.fidelity.chunks))
        return [number for number, kind in enumerate(chunk_kinds(self.result)) if kind == self.kind]

    @property
    def worst(self) -> tuple[Divergence, ...]:
        """Where the candidate is farthest from the original, over all texts."""
        return self.result.worst if self.result else ()

    @property
    def obstacle(self) -> str:
        """Why no text can be measured now; "" if one can."""
        if self._lab.running:
            return "A study is running: two models at once may not fit into memory."
        return "" if self.candidate else "A model of this study has to be measured first."

    def choose_candidate(self, name: str) -> None:
        """Show the same text for another candidate."""
        chosen = next((one for one in self.candidates if one.name == name), None)
        if chosen and chosen != self.candidate:
            self._last = self.candidate.name if self.candidate else ""
            self.candidate, self._wanted = chosen, self.current
            if not self.is_own:
                self._read()
            elif self.own.is_answered or not isinstance(self.state, Busy):
                # While the original reads, that is for all of them.
                self._show_own()

    def swap(self) -> None:
        """Show the candidate that was shown before this one, so that two are held against each other."""
        self.choose_candidate(self._last)

    def choose_kind(self, kind: str) -> None:
        """Show the first text of another kind."""
        if kind != self.kind:
            self.kind, self._wanted = kind, None
            if self.is_own:
                self._show_own()
            else:
                self._read(self.chunks[0])

    def choose_chunk(self, chunk: int) -> None:
        if chunk in self.chunks and chunk != self.chunk:
            self._wanted = None
            self._read(chunk)

    def turn(self, direction: int) -> None:
        """Go to the next chunk of this kind, or with -1 to the one before."""
        chunk = step_from(self.chunks, self.chunk, direction)
        if chunk is not None:
            self.choose_chunk(chunk)

    def go_to(self, token: int) -> None:
        """Be at this token of the passage."""
        self.current = token
        self.moved.emit()

    def step(self, direction: int) -> bool:
        """Go to the next place where the first choices differ, or with -1 to the one before; return if there is one."""
        if not isinstance(self.state, Shown):
            return False
        place = step_from(self.state.passage.flips, self.current, direction)
        if place is not None:
            self.go_to(place)
            return True
        chunk = step_from(self.chunks, self.chunk, direction)
        if chunk is not None:
            self._wanted = "first" if direction > 0 else "last"
            self._read(chunk)
        return chunk is not None

    def jump(self, divergence: Divergence) -> None:
        """Go to one of the worst places, in whatever text it is."""
        self._wanted = divergence
        if not self.is_own:
            self.kind = divergence.kind
        if divergence.chunk == self.chunk and isinstance(self.state, Shown):
            self._arrive(self.state.passage)
            self.moved.emit()
        else:
            self._read(divergence.chunk)

    def measure(self, text: str) -> None:
        """Let the original and the candidate read the person's own text, one after the other."""
        if self.obstacle or not self.candidate or not self._lab.study:
            return
        self.kind, self._wanted = OWN, None
        self.own.measure(text, self._lab.study.original)

    def _follow(self) -> None:
        study = self._lab.study
        self.candidates = list(candidates(study)) if study else []
        names = [one.name for one in self.candidates]
        if self.candidate and self.candidate.name in names and self._is_same():
            self.candidate = self.candidates[names.index(self.candidate.name)]
            self.changed.emit()
            return
        # What is measured just now is about another original, or none.
        self.own.clear()
        self.current = None
        self.candidate = self.candidates[0] if self.candidates else None
        if self.candidate is None:
            self._set(Idle("What was measured is shown here, token by token, once a model of this study is measured."))
        elif self._begun:
            self.kind = next(iter(self.candidate.result.by_kind), OWN)
            self._read(0)

    def _is_same(self) -> bool:
        """Whether the candidate was not measured anew, and something of it is shown."""
        is_read = not self._begun or not isinstance(self.state, Idle) or self.is_own
        mine = self.candidate
        return is_read and mine is not None and any(one.result == mine.result for one in self.candidates)

    def _read(self, chunk: int | None = None) -> None:
        """Ask for a chunk, by default the same one again."""
        if self.result is None:
            return
        self.chunk = self.chunk if chunk is None else chunk
        folder = fidelity_folder(self.result, self._results)
        if not isinstance(self.state, Shown):
            self._set(Busy("Reading…"))
        request = ReadTokens(id=new_id(), result=str(folder), chunk=self.chunk)
        self._questions.ask(request, self._take, latest_only=True)

    def _show_own(self) -> None:
        """Show what the candidate makes of the person's own text, measured first if it was not."""
        if self.result:
            self._read(0)
        elif self.own.is_answered and not self.obstacle:
            self.own.compare()
        else:
            self._questions.close()
            self.chunk = 0
            self._set(Idle(""))

    def _take(self, event: JobReply) -> None:
        match event:
            case RequestFailed():
                self._set(Broken(event.title, event.message))
            case TokensRead():
                self._show(event)

    def _show(self, read: TokensRead) -> None:
        assert self.result and self.candidate  # noqa: S101, PT018 - it was asked for
        reference = self.result.reference.rpartition("/")[2]
        passage = Passage(read, reference, self.candidate.name)
        self.current = None
        self._arrive(passage)
        self._set(Shown(passage))

    def _arrive(self, passage: Passage) -> None:
        """Be where one wanted to be in this passage."""
        wanted, self._wanted = self._wanted, None
        match wanted:
            case Divergence():
                place = wanted.position - passage.read.first_scored
            case "first" | "last" if passage.flips:
                place = passage.flips[0 if wanted == "first" else -1]
            case int():
                place = wanted
            case _:
                return
        self.current = place if 0 <= place < len(passage.tokens) else None

    def _set(self, state: State) -> None:
        self.state = state
        self.changed.emit()
