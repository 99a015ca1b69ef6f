"""What the view of tokens is at: nothing to show, at work, at an obstacle, or a text."""

from dataclasses import dataclass

from app.viewmodels.tokens.passage import Passage


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is shown, and why."""

    words: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Something is read or measured; `share` goes from 0 to 1, or is None where nothing is known of it."""

    words: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    passage: Passage


State = Idle | Busy | Broken | Shown
