"""States of the token view: nothing to show, busy, failed, or a text."""

from dataclasses import dataclass

from app.viewmodels.tokens.passage import Passage


@dataclass(frozen=True, slots=True)
class NoText:
    """Nothing to show; `message` may have the reason."""

    message: str


@dataclass(frozen=True, slots=True)
class ReadingText:
    """A text is being read or measured. `share` is the progress from 0 to 1, or None if unknown."""

    message: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class TextFailed:
    """Reading or measuring failed."""

    title: str
    message: str


@dataclass(frozen=True, slots=True)
class TextShown:
    """A passage is on display."""

    passage: Passage


TokenViewState = NoText | ReadingText | TextFailed | TextShown
