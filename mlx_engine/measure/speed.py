"""Measures how fast a model loads, reads and writes, by the very steps with which the engine does it.

Like `llama-bench`, it reads random tokens and decodes past every end, each time from the same state, after a warm-up
that is not counted. Unlike it, the first token of the answer belongs to reading, as a person waits for it. A figure
whose values lie too far apart is taken again, and if they still do, it is marked: something else was running.
"""

import contextlib
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.generate import generate_step

from mlx_engine.inference.context import Context
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.inference.prefill import Reader
from mlx_engine.measure.conditions import Watch
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.fingerprints import Fingerprints
from mlx_engine.measure.room import check_room, engine_errors
from mlx_engine.measure.speed_result import Series, SpeedPlan, SpeedResult
from mlx_engine.models import provenance
from mlx_engine.models.machine import this_machine

_warm_up_tokens = 512
"""More are read in steps of the same shapes."""


@dataclass(frozen=True, slots=True)
class SpeedProgress:
    """What has been measured last, in words; `result` is the whole, with the last one."""

    done: int
    total: int
    words: str
    result: SpeedResult | None = None


@dataclass(slots=True)
class _Found:
    load_s: list[float] = field(default_factory=list)
    reading: list[Series] = field(default_factory=list)
    decoding: list[Series] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def measure_speed(path: Path, plan: SpeedPlan, *, name: str, known: Fingerprints) -> Iterator[SpeedProgress]:
    """Measure the model in the folder `path`, called `name`.

    Prompts and depths beyond the model's context are left out, and said so.

    Raises:
        ModelError, OutOfMemory: it cannot be opened, or does not fit.
        InvalidParameter: it cannot keep its context in so few bits.
        EngineError: MLX failed.
    """
    check_room(path, name, Convention(), this_machine(), cache_bits=plan.cache_bits)
    watch = Watch()
    total = 1 + len(plan.prompts) + len(plan.depths)
    found = _Found()
    model = _load_twice(path, found)
    yield SpeedProgress(1, total, f"loading took {found.load_s[0]:.1f} s")
    bench = _Bench(model, plan)
    mx.reset_peak_memory()
    with engine_errors(name):
        yield from _measure(bench, plan, found, total)
    result = SpeedResult(
        model=name,
        weights=known.of(path),
        plan=plan,
        load_s=tuple(found.load_s),
        reading=tuple(found.reading),
        decoding=tuple(found.decoding),
        skipped=tuple(found.skipped),
        peak_memory_bytes=mx.get_peak_memory(),
        conditions=watch.conditions(),
        machine=device_name(),
        created=provenance.now(),
        tools=provenance.versions("facet", "mlx", "mlx-lm"),
    )
    yield SpeedProgress(total, total, "done", result)


def _load_twice(path: Path, found: _Found) -> Model:
    """Load the model, cold where the system lets go of files, and once more, which is warm; return the second one."""
    forget_files(path)
    found.load_s.append(_load(path)[0])
    gc.collect()
    mx.clear_cache()
    again_s, model = _load(path)
    found.load_s.append(again_s)
    return model


def _load(path: Path) -> tuple[float, Model]:
    began = time.perf_counter()
    model = open_model(path)
    for _ in model.read_weights():
        pass
    return time.perf_counter() - began, model


def forget_files(folder: Path) -> None:
    """Let the system drop from memory what it keeps of the files in `folder`. Linux can be asked; macOS cannot."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _measure(bench: "_Bench", plan: SpeedPlan, found: _Found, total: int) -> Iterator[SpeedProgress]:
    done = 1
    for tokens in plan.prompts:
        done += 1
        if tokens > bench.context_length:
            found.skipped.append(f"a prompt of {tokens:,} tokens, which is longer than the context")
            continue
        bench.read(min(tokens, _warm_up_tokens))
        series = _steady(partial(bench.read, tokens), plan, tokens)
        found.reading.append(series)
        yield SpeedProgress(done, total, f"reading {tokens:,} tokens: {series.median:.1f} tokens/s")
    deep = bench.empty()
    for depth in plan.depths:
        done += 1
        if depth + plan.decode_tokens > bench.context_length:
            found.skipped.append(f"decoding after {depth:,} tokens, which is beyond the context")
            continue
        bench.deepen(deep, depth)
        series = _steady(partial(bench.decode, deep), plan, depth)
        found.decoding.append(series)
        yield SpeedProgress(done, total, f"decoding after {depth:,} tokens: {series.median:.1f} tokens/s")


def _steady(rate: Callable[[], float], plan: SpeedPlan, tokens: int) -> Series:
    """Take `rate` several times; once more if the values lie too far apart."""
    series = Series(tokens, tuple(rate() for _ in range(plan.repetitions)))
    if series.is_disturbed:
        series = Series(tokens, tuple(rate() for _ in range(plan.repetitions)))
    return series


class _Bench:
    """A loaded model, and random tokens for it that are the same in every run."""

    def __init__(self, model: Model, plan: SpeedPlan) -> None:
        self.context_length = model.context_length
        self._network = model.network
        self._plan = plan
        self._layers = Layers(model.network, model.cache_obstacle)
        self._reader = Reader(model.network)
        self._random = np.random.default_rng(0)
        self._vocabulary = model.vocabulary_size

    def empty(self) -> Context:
        return Context(self._layers.make(self._plan.cache_bits), cache_bits=self._plan.cache_bits)

    def read(self, tokens: int) -> float:
        """Return how many tokens of a prompt are read in a second, until the first one of the answer is there."""
        context, prompt = self.empty(), self._tokens(tokens)
        began = time.perf_counter()
        self._read(context, prompt[:-1])
        self._decode(context, prompt[-1], 1)
        return tokens / (time.perf_counter() - began)

    def deepen(self, context: Context, depth: int) -> None:
        """Let `context` read on until it holds `depth` tokens."""
        self._read(context, self._tokens(max(0, depth - len(context.tokens))))

    def decode(self, context: Context) -> float:
        """Return how many tokens are generated in a second after `context`, which is brought back to where it was.

        The first one is not counted.
        """
        depth = len(context.tokens)
        context.take_snapshot()
        self._decode(context, self._tokens(1)[0], 1)
        began = time.perf_counter()
        self._decode(context, self._tokens(1)[0], self._plan.decode_tokens)
        taken_s = time.perf_counter() - began
        context.evaluate()
        context.go_back(self._network, depth)
        return self._plan.decode_tokens / taken_s

    def _tokens(self, count: int) -> list[int]:
        return [int(token) for token in self._random.integers(0, self._vocabulary, count)]

    def _read(self, context: Context, tokens: list[int]) -> None:
        if tokens:
            for _ in self._reader.read(context, tokens, boundaries=(), is_cancelled=lambda: False):
                pass

    def _decode(self, context: Context, token: int, count: int) -> None:
        steps: Any = generate_step(mx.array([token]), self._network, max_tokens=count, prompt_cache=context.layers)
        context.tokens.append(token)
        with closing(steps):
            for generated, _ in steps:
                context.tokens.append(generated)
