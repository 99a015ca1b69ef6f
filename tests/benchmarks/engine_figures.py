"""What the engine's benchmarks share: the starter model, an engine under a stopwatch, medians of interleaved runs.

Two things are compared by turns, A B A B, so that what else happens on the machine meets both alike.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mlx_engine.cli.session import Session
from mlx_engine.folders import Folders
from mlx_engine.models.library import starter
from mlx_engine.protocol import ChatMessage, Event
from mlx_engine.sampling import Sampling


def starter_model() -> Path:
    """Return the starter model's folder, prepared if need be."""
    return starter.prepare(Folders.from_environment()).path


def open_session(model: Path) -> Session:
    """Return a session whose model is loaded and warm."""
    session = Session(model, Folders.from_environment())
    list(ask(session, [ChatMessage("user", "Hello.")], max_tokens=4))
    return session


def ask(session: Session, messages: Sequence[ChatMessage], *, max_tokens: int) -> Iterator[tuple[float, Event]]:
    """Yield each event of a greedy answer with the seconds since the question."""
    asked_at = time.perf_counter()
    for event in session.answer(messages, Sampling(temperature=0, max_tokens=max_tokens), think=False):
        yield time.perf_counter() - asked_at, event


def by_turns(runs: dict[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """Run each of `runs` in turn, `repetitions` times over; return the median of each."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            values[name].append(run())
    return {name: statistics.median(measured) for name, measured in values.items()}


def text_of_tokens(count: int, seed: int) -> str:
    """Return plain text of about `count` tokens, one a word; another seed differs from the first words on."""
    words = ["river", "stone", "cloud", "green", "house", "light", "seven", "under", "table", "music", "north"]
    return " ".join(random.Random(seed).choices(words, k=count))  # noqa: S311 - no secret
