"""From tokens to pieces of text, each of a kind: what the model thinks, and what it answers.

Markers and stop texts are found across the borders of tokens, and never shown; a character that is not complete yet is
held back. A marker counts as the start of thinking only before the first words of the answer, so that a model can
write about such markers.
"""

from collections.abc import Sequence
from typing import Any

from mlx_lm.generate import TextStateMachine

from mlx_engine.protocol import SegmentKind

Segment = tuple[SegmentKind, str]
_machine: Any = TextStateMachine


class Segments:
    """The text of one answer, as it comes.

    `opens_thinking` says that the prompt itself ends inside of the thinking. `stop` ends the answer, not the thinking.
    """

    def __init__(self, tokenizer: Any, *, opens_thinking: bool, stop: Sequence[str]) -> None:
        self._detokenizer = tokenizer.detokenizer
        self._tokens = len(tokenizer)
        stops = [(text, None) for text in stop]
        self._machine = _machine(
            {
                "start": [(tokenizer.think_start, "thinking"), *stops] if tokenizer.has_thinking else stops,
                "thinking": [(tokenizer.think_end, "answer")] if tokenizer.has_thinking else [],
                "answer": stops,
            }
        )
        self._state = self._machine.make_state("thinking" if opens_thinking else "start")
        self._after_marker = opens_thinking
        self.stopped = False
        """Whether a stop text has ended the answer."""

    def add(self, token: int) -> list[Segment]:
        """Return the text that became certain with `token`."""
        if token < self._tokens:  # A network can have more outputs than the tokenizer has tokens.
            self._detokenizer.add_token(token)
        return self._split(self._detokenizer.last_segment)

    def finish(self) -> list[Segment]:
        """Return the text held back until now; half a character at the end is dropped."""
        self._detokenizer.finalize()
        pieces = self._split(self._detokenizer.last_segment.rstrip("\ufffd"))
        if not self.stopped:
            self._state, held, name = self._machine.flush(self._state)
            pieces += self._keep([(name, held)])
        return pieces

    def _split(self, text: str) -> list[Segment]:
        if self.stopped or not text:
            return []
        self._state, pieces = self._machine.split(self._state, text)
        found = self._keep(pieces)
        self.stopped = self._state[0] is None
        if self._state[0] == "start" and any(piece.strip() for _, piece in found):
            held = self._state[3]
            self._state = self._machine.make_state("answer")
            found += self._split(held)
        return found

    def _keep(self, pieces: list[tuple[str | None, str]]) -> list[Segment]:
        found: list[Segment] = []
        for index, (name, piece) in enumerate(pieces):
            self._after_marker = self._after_marker or (index > 0 and name is not None)
            text = piece.lstrip("\n") if self._after_marker else piece
            if text:
                self._after_marker = False
                found.append(("thinking" if name == "thinking" else "answer", text))
        return found
