"""Figures of the throughput bar. Has no clock: callers pass the time, in seconds from any origin."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

from app.domain.conversation import Message, MessageState
from mlx_engine.engine.values.state import EngineState, Generating, Loading, Ready, Starting
from mlx_engine.protocol import Delta, Event, Loaded, LoadProgress, Prefill

Phase = Literal["idle", "waiting", "loading", "reading", "answering", "done", "failed"]

HISTORY = 60
WINDOW_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """The figures at one moment. Times are in seconds, sizes in bytes; unknown values are 0.

    In the phase `waiting`, another conversation is answered first. `tokens_per_s` covers the last second of prefill or
    decode; after the answer, it is the mean decode rate. `history` has the last 60 rates, 4 per second.
    """

    phase: Phase = "idle"
    done_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reread_reason: str = ""
    tokens_per_s: float = 0.0
    history: tuple[float, ...] = ()
    time_to_first_token_s: float = 0.0
    generated_tokens: int = 0
    load_done_bytes: int = 0
    load_total_bytes: int = 0
    engine_memory_bytes: int = 0
    machine_memory_bytes: int = 0
    context_tokens: int = 0
    context_length: int = 0


def of_engine(state: EngineState) -> Throughput:
    """Return the figures of a model without an answer."""
    match state:
        case Starting():
            return Throughput(phase="loading")
        case Loading(done, total):
            return Throughput(phase="loading", load_done_bytes=done, load_total_bytes=total)
        case _:
            return Throughput()


def of_message(message: Message) -> Throughput:
    """Return the stored figures of a finished answer."""
    if (statistics := message.statistics) is None:
        return Throughput(phase="failed" if message.state == MessageState.FAILED else "idle")
    return Throughput(
        phase="done",
        done_tokens=statistics.prompt_tokens,
        total_tokens=statistics.prompt_tokens,
        cached_tokens=statistics.cached_tokens,
        tokens_per_s=statistics.decode_tokens_per_s,
        time_to_first_token_s=statistics.time_to_first_token_s,
        generated_tokens=statistics.generated_tokens,
        context_tokens=statistics.context_tokens,
    )


class Meter:
    """Computes the live figures of one answer."""

    def __init__(self) -> None:
        self._figures = Throughput(phase="waiting")
        self._counts: deque[tuple[float, int]] = deque()
        self._reading_since: float | None = None
        self._tokens_before = 0
        """The length of the context without the answer."""
        self._history: deque[float] = deque(maxlen=HISTORY)

    def start(self, state: EngineState) -> None:
        """Start when the request is sent to an engine in this state."""
        is_loaded = isinstance(state, Ready | Generating)
        self._figures = Throughput(phase="reading") if is_loaded else replace(of_engine(state), phase="loading")

    def update(self, event: Event, now: float) -> None:
        """Update the figures from an event of the request or of the load before it."""
        match event:
            case LoadProgress():
                self._change(load_done_bytes=event.done_bytes, load_total_bytes=event.total_bytes)
            case Loaded():
                self._change(phase="reading")
            case Prefill():
                self._prefill(event, now)
            case Delta():
                self._decode(event, now)

    def tick(self, now: float) -> None:
        """Add a point to the history; called four times per second."""
        if self._figures.phase == "answering":
            self._history.append(self._rate(now))

    def throughput(self, now: float) -> Throughput:
        return replace(self._figures, tokens_per_s=self._rate(now), history=tuple(self._history))

    def _prefill(self, event: Prefill, now: float) -> None:
        if self._figures.phase == "answering":  # The context is read again in the middle of the answer.
            self._counts.clear()
        if self._reading_since is None:
            self._reading_since = now
            self._counts.append((now, event.cached_tokens))
        self._count(now, event.done_tokens)
        self._change(
            phase="reading",
            done_tokens=event.done_tokens,
            total_tokens=event.total_tokens,
            cached_tokens=event.cached_tokens,
            reread_reason=event.reread_reason,
            context_tokens=event.done_tokens,
        )

    def _decode(self, event: Delta, now: float) -> None:
        if self._figures.phase != "answering":
            self._counts.clear()
            since = now if self._reading_since is None else self._reading_since
            first_s = self._figures.time_to_first_token_s or now - since
            self._change(phase="answering", time_to_first_token_s=first_s)
            self._tokens_before = self._figures.total_tokens - self._figures.generated_tokens
        self._count(now, event.generated_tokens)
        self._change(
            generated_tokens=event.generated_tokens,
            context_tokens=self._tokens_before + event.generated_tokens,
        )

    def _count(self, now: float, tokens: int) -> None:
        self._counts.append((now, tokens))
        while len(self._counts) > 2 and self._counts[1][0] <= now - WINDOW_S:
            self._counts.popleft()

    def _rate(self, now: float) -> float:
        """Return tokens per second over the last second, or since the first token if that is less."""
        recent = [entry for entry in self._counts if entry[0] >= now - WINDOW_S]
        if not recent or len(self._counts) < 2:
            return 0.0
        since, tokens = self._counts[max(len(self._counts) - len(recent) - 1, 0)]
        elapsed = now - since
        return (self._counts[-1][1] - tokens) / elapsed if elapsed > 0 else 0.0

    def _change(self, **figures: object) -> None:
        self._figures = replace(self._figures, **figures)  # type: ignore[arg-type] # callers pass fields of Throughput
