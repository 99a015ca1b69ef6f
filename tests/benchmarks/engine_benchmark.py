"""Shared parts of the engine's benchmarks: the starter model, timed answers, medians of interleaved runs.

Two alternatives run in turn, A B A B, so that other work on the computer affects both equally.
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
    """Return the folder of the starter model, after preparing it if needed."""
    return starter.prepare(Folders.from_environment()).path


def open_session(model: Path) -> Session:
    """Return a session with a loaded model, after a first answer."""
    session = Session(model, Folders.from_environment())
    list(ask(session, [ChatMessage("user", "Hello.")], max_tokens=4))
    return session


def ask(session: Session, messages: Sequence[ChatMessage], *, max_tokens: int) -> Iterator[tuple[float, Event]]:
    """Yield each event of a greedy answer with the seconds since the request."""
    start = time.perf_counter()
    for event in session.answer(messages, Sampling(temperature=0, max_tokens=max_tokens), think=False):
        yield time.perf_counter() - start, event


def interleaved_medians(runs: dict[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """Run all of `runs` in turn, `repetitions` times; return the median of each."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            values[name].append(run())
    return {name: statistics.median(results) for name, results in values.items()}


def random_text(count: int, seed: int) -> str:
    """Return text of about `count` tokens, one per word; texts with other seeds differ from the first words on."""
    vocabulary = ["river", "stone", "cloud", "green", "house", "light", "seven", "under", "table", "music", "north"]
    return " ".join(random.Random(seed).choices(vocabulary, k=count))  # noqa: S311 - not a secret
