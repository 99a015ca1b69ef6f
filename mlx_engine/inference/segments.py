"""Splits generated tokens into segments of text: thinking or answer.

Markers and stop sequences are recognized across token boundaries and removed; an incomplete character is held back. A
marker starts thinking only before the first words of the answer, so that a model can write about such markers.
"""

from collections.abc import Sequence
from typing import Any

from mlx_lm.generate import TextStateMachine

from mlx_engine.protocol import SegmentKind

Segment = tuple[SegmentKind, str]
_machine: Any = TextStateMachine


class Segments:
    """The text of one answer while it streams.

    `opens_thinking` means that the prompt itself ends inside the thinking. `stop` ends the answer, not the thinking.
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
        """True once a stop sequence has ended the answer."""

    def add(self, token: int) -> list[Segment]:
        """Return the text that `token` completes."""
        if token < self._tokens:  # A network can have more outputs than the tokenizer has tokens.
            self._detokenizer.add_token(token)
        return self._split(self._detokenizer.last_segment)

    def finish(self) -> list[Segment]:
        """Return the text held back so far; an incomplete character at the end is dropped."""
        self._detokenizer.finalize()
        pieces = self._split(self._detokenizer.last_segment.rstrip("\ufffd"))
        if not self.stopped:
            self._state, held, name = self._machine.flush(self._state)
            pieces += self._to_segments([(name, held)])
        return pieces

    def _split(self, text: str) -> list[Segment]:
        if self.stopped or not text:
            return []
        self._state, pieces = self._machine.split(self._state, text)
        segments = self._to_segments(pieces)
        self.stopped = self._state[0] is None
        if self._state[0] == "start" and any(piece.strip() for _, piece in segments):
            held = self._state[3]
            self._state = self._machine.make_state("answer")
            segments += self._split(held)
        return segments

    def _to_segments(self, pieces: list[tuple[str | None, str]]) -> list[Segment]:
        segments: list[Segment] = []
        for index, (name, piece) in enumerate(pieces):
            self._after_marker = self._after_marker or (index > 0 and name is not None)
            text = piece.lstrip("\n") if self._after_marker else piece
            if text:
                self._after_marker = False
                segments.append(("thinking" if name == "thinking" else "answer", text))
        return segments
