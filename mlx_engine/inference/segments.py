"""Splits generated tokens into segments of text: thinking or answer.

Markers (`models.description.thinking`) are removed, also when they are spelled in several tokens; text that may be the
start of one is held back. A model can write about markers: in the answer, only markers that are tokens of their own
count, and of these only control tokens count inside code. Stop sequences end the answer, not the thinking.
"""

import enum
import re
from collections.abc import Iterable, Sequence
from typing import Any

from mlx_engine.inference.detokenizer import Detokenizer
from mlx_engine.models.description.thinking import Effect, ThinkingFormat
from mlx_engine.protocol import SegmentKind

Segment = tuple[SegmentKind, str]

_BLANK = " \t\r\n\u00a0\u200b\u200c\u200d\u2060\ufeff"
"""White space and characters without width."""
_fence = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


class _Part(enum.Enum):
    """The part of an answer that the next character belongs to."""

    START = enum.auto()
    """Before the first words of the answer: thinking may start here."""
    THINKING = enum.auto()
    ANSWER = enum.auto()
    HEADER = enum.auto()


class Segments:
    """The text of one answer while it streams.

    `opens_thinking` means that the prompt itself ends inside the thinking.
    """

    def __init__(
        self, tokenizer: Any, thinking_format: ThinkingFormat, *, opens_thinking: bool, stop: Sequence[str]
    ) -> None:
        self._detokenizer = Detokenizer(tokenizer)
        self._format, self._stop = thinking_format, tuple(stop)
        self._tokens = _marker_tokens(tokenizer, thinking_format)
        self._part = _Part.THINKING if opens_thinking else _Part.START
        self._follows_marker = opens_thinking
        self._has_thought = opens_thinking
        self._held = self._header = self._answer = ""
        self._breaks = False
        """True after the end of thinking that was not marked as such: the answer continues with a new paragraph."""
        self.stopped = False
        """True once a stop sequence has ended the answer."""

    def add(self, token: int) -> list[Segment]:
        """Return the text that `token` completes."""
        if token not in self._tokens:
            return self._split(self._detokenizer.add(token))
        marker, is_control = self._tokens[token]
        segments = self._split(self._detokenizer.finish())
        self._detokenizer.add(token)
        if not is_control and self._is_text(marker):
            return segments + self._split(marker)
        segments += self._release()
        self._apply(marker)
        return segments

    def finish(self) -> list[Segment]:
        """Return the text held back so far; an incomplete character at the end is dropped."""
        return self._split(self._detokenizer.finish()) + self._release()

    def _is_text(self, marker: str) -> bool:
        """Return True for a marker that is a plain token, but not meant as a marker."""
        effect = self._format.effects[marker]
        if effect is Effect.BODY:
            return self._part is not _Part.HEADER
        if self._part is not _Part.ANSWER:
            return False
        return _is_in_code(self._answer) or (effect is Effect.THINKING and not _is_at_line_start(self._answer))

    def _split(self, text: str) -> list[Segment]:
        segments: list[Segment] = []
        self._held += text
        while self._held and not self.stopped:
            if self._part is _Part.START and not self._leave_start():
                break
            markers = self._spelled_markers()
            index, marker = _first(self._held, markers)
            if not marker:
                index = len(self._held) - _overlap(self._held, markers)
            segments += self._emit(self._held[:index])
            self._held = self._held[index + len(marker) :]
            if not marker:
                break
            if marker in self._stop:
                self.stopped = True
            elif self._is_spelled_text(marker):
                segments += self._emit(marker)
            else:
                self._apply(marker)
        return segments

    def _leave_start(self) -> bool:
        """Apply the markers before the first words; return False if more text is needed to find those."""
        markers = self._format.markers(Effect.THINKING, Effect.ANSWER, Effect.HIDDEN, Effect.HEADER)
        while self._part is _Part.START:
            text = self._held.lstrip(_BLANK)
            marker = next((marker for marker in markers if text.startswith(marker)), "")
            if marker:
                self._held = text.removeprefix(marker)
                self._apply(marker)
            elif any(marker.startswith(text) for marker in markers):
                return False
            else:
                self._part = _Part.ANSWER
        return True

    def _spelled_markers(self) -> tuple[str, ...]:
        """Return the texts that count here when they are spelled in several tokens."""
        match self._part:
            case _Part.THINKING:
                return self._format.markers(Effect.ANSWER, Effect.THINKING)
            case _Part.HEADER:
                return self._format.markers(Effect.BODY)
            case _:
                ends = () if self._has_thought else self._format.markers(Effect.ANSWER)
                return (*self._stop, *self._format.markers(Effect.HIDDEN), *ends)

    def _is_spelled_text(self, marker: str) -> bool:
        """Return True for a spelled marker that is not meant as one.

        Thinking opens once, though a model may repeat the marker at the end of its prompt. An end without a start has
        a line of its own.
        """
        effect = self._format.effects[marker]
        if self._part is _Part.THINKING:
            return effect is Effect.THINKING and not self._follows_marker
        if self._part is not _Part.ANSWER:
            return False
        is_alone = effect is Effect.HIDDEN or _is_at_line_start(self._answer)
        return not is_alone or _is_in_code(self._answer)

    def _apply(self, marker: str) -> None:
        """Go where `marker` leads."""
        effect = self._format.effects[marker]
        if effect is Effect.BODY and self._part is _Part.HEADER:
            effect = self._format.channel_effect(self._header)
            self._header = ""
        if effect is Effect.HEADER:
            self._header += marker
            self._part = _Part.HEADER
        elif effect is Effect.THINKING:
            self._part = _Part.THINKING
            self._has_thought = True
        elif effect is Effect.ANSWER:
            self._breaks = self._part is _Part.ANSWER
            self._part = _Part.START
        self._follows_marker = True

    def _emit(self, text: str) -> list[Segment]:
        if self._part is _Part.HEADER:
            self._header += text
            return []
        if self._follows_marker:
            text = text.lstrip("\n")
        if not text:
            return []
        if self._breaks and self._part is _Part.ANSWER:
            text, self._breaks = f"\n\n{text}", False
        self._follows_marker = False
        if self._part is _Part.THINKING:
            return [("thinking", text)]
        self._answer += text
        return [("answer", text)]

    def _release(self) -> list[Segment]:
        """Return the text held back, which turned out not to be the start of a marker."""
        held, self._held = self._held, ""
        if self.stopped or (self._part is _Part.START and not held.strip(_BLANK)):
            return []
        return self._emit(held)


def _marker_tokens(tokenizer: Any, thinking_format: ThinkingFormat) -> dict[int, tuple[str, bool]]:
    """Return the markers that are single tokens, each with True if it is a control token."""
    return {
        number: (token.content, bool(token.special))
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content in thinking_format.effects
    }


def _is_in_code(text: str) -> bool:
    return len(_fence.findall(text)) % 2 == 1 or text.rpartition("\n")[2].count("`") % 2 == 1


def _is_at_line_start(text: str) -> bool:
    return not text.rpartition("\n")[2].strip(_BLANK)


def _first(text: str, markers: Iterable[str]) -> tuple[int, str]:
    """Return the position of the first of `markers` in `text`, and the marker; "" if there is none."""
    return min(((index, marker) for marker in markers if (index := text.find(marker)) >= 0), default=(len(text), ""))


def _overlap(text: str, markers: Iterable[str]) -> int:
    """Return the length of the longest end of `text` with which one of `markers` starts."""
    return max(
        (
            length
            for marker in markers
            for length in range(1, min(len(marker) - 1, len(text)) + 1)
            if text.endswith(marker[:length])
        ),
        default=0,
    )
