"""Measures how fast a model loads, reads and writes, by the very steps with which the engine does it.

Like `llama-bench`, it reads random tokens and decodes past every end, each time from the same state, after a warm-up
that is not counted. Unlike it, the first token of the answer belongs to reading, as a person waits for it. A figure
whose values lie too far apart is taken again, and if they still do, it is marked: something else was running.

It does not know the template and the tokenizer, nor sampling: in a chat they come on top.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.generate import generate_step

from mlx_engine.errors import EngineError, FacetError, OutOfMemory
from mlx_engine.inference.context import Context
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.inference.prefill import Reader
from mlx_engine.measure.mlx.memory_guard import engine_errors
from mlx_engine.measure.results import residency
from mlx_engine.measure.results.conditions import ConditionsMonitor
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.speed_parts import SpeedBounds, SpeedPart, limit_to_free_memory, speed_parts
from mlx_engine.measure.results.speed_result import Series, SpeedPlan, SpeedResult, is_disturbed
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import this_machine

_warm_up_tokens = 2048
"""More are read in steps of the same shapes."""
_most_swapped_bytes = 256 * 2**20


@dataclass(frozen=True, slots=True)
class SpeedUpdate:
    """What is being measured, in words, and what was found so far, None before the model is loaded.

    All is found when as much is done as there is.
    """

    done: int
    total: int
    words: str
    so_far: SpeedResult | None


def measure_speed(
    path: Path, plan: SpeedPlan, *, name: str, known: Fingerprints, watch: ConditionsMonitor | None = None
) -> Iterator[SpeedUpdate]:
    """Measure the model in the folder `path`, called `name`; the `watch` looks at the machine meanwhile.

    What is beyond the model's context, or would not fit the memory that is free, is not tried, and said so. What fails
    leaves the other figures.

    Raises:
        ModelError, OutOfMemory: it cannot be opened, or does not fit.
        InvalidParameter: it cannot keep its context in so few bits.
        EngineError: MLX failed, and nothing could be measured.
    """
    watch = watch or ConditionsMonitor()
    bounds = SpeedBounds(
        describe(path, name), limit_to_free_memory(this_machine(), watch.free_memory_bytes), plan.cache_bits
    )
    bounds.require_room()
    too_long = list(filter(None, map(bounds.beyond_context, speed_parts(plan))))
    lasting = [part for part in speed_parts(plan) if not bounds.beyond_context(part)]
    too_large = list(filter(None, map(bounds.beyond_memory, lasting)))
    possible = [part for part in lasting if not bounds.beyond_memory(part)]
    total = 1 + len(possible)
    yield SpeedUpdate(0, total, "loading", None)
    run = _Run(path, plan, name, watch, known)
    run.skipped += too_long + too_large
    run.lacks_memory = bool(too_large)
    for done, part in enumerate(possible, 1):
        yield SpeedUpdate(done, total, part.words, run.result())
        if reason := run.measure(part):
            run.lacks_memory = True
            run.skipped += (f"{later.words}, since {reason}" for later in possible[done:])
            break
    run.require_something()
    yield SpeedUpdate(total, total, "done", run.result())


class _Run:
    """A loaded model, and what was found of it so far."""

    def __init__(self, path: Path, plan: SpeedPlan, name: str, watch: ConditionsMonitor, known: Fingerprints) -> None:
        self.skipped: list[str] = []
        self.lacks_memory = False
        self._plan, self._name, self._watch = plan, name, watch
        self._series: list[tuple[SpeedPart, Series]] = []
        self._failures: list[tuple[SpeedPart, FacetError]] = []
        residency.evict(path)
        self._held_share = residency.resident_share(path)
        first_s, model = _load(path)
        # Two of them may not fit.
        del model
        _free()
        again_s, model = _load(path)
        self._load_s = (first_s, again_s)
        self._weights = known.of(path)
        self._bench = Bench(model, plan)

    def measure(self, part: SpeedPart) -> str:
        """Measure one figure; return why no longer one should be tried after it, "" if one may be."""
        try:
            with engine_errors(self._name):
                self._series.append((part, self._bench.series(part)))
        except EngineError as error:
            self._failures.append((part, error))
            _free()
            if isinstance(error, OutOfMemory):
                return "the memory ran out before"
        return "the machine began to swap" if self._watch.swapped_bytes > _most_swapped_bytes else ""

    def require_something(self) -> None:
        """Pass unless all that was tried has failed.

        Raises:
            EngineError: as the first one did.
        """
        if self._failures and not self._series:
            raise self._failures[0][1]

    def result(self) -> SpeedResult:
        """Return what was found until now."""
        return SpeedResult(
            model=self._name,
            weights=self._weights,
            plan=self._plan,
            load_s=self._load_s,
            held_share=self._held_share,
            reading=tuple(series for part, series in self._series if part.kind == "reading"),
            decoding=tuple(series for part, series in self._series if part.kind == "decoding"),
            skipped=tuple(self.skipped),
            lacks_memory=self.lacks_memory,
            failures=tuple(f"{part.words}: {error.message.rstrip('.')}" for part, error in self._failures),
            peak_memory_bytes=max((one.peak_memory_bytes for _, one in self._series), default=mx.get_peak_memory()),
            conditions=self._watch.conditions(),
            machine=device_name(),
            created=provenance.now(),
            tools=provenance.measured_with(),
        )


def _load(path: Path) -> tuple[float, Model]:
    began = time.perf_counter()
    model = open_model(path)
    for _ in model.read_weights():
        pass
    return time.perf_counter() - began, model


def _free() -> None:
    gc.collect()
    mx.clear_cache()


def repeat(rate: Callable[[], float], times: int) -> tuple[float, ...]:
    """Take `rate` so many times; once more if the values lie too far apart."""
    values = tuple(rate() for _ in range(times))
    return tuple(rate() for _ in range(times)) if is_disturbed(values) else values


class Bench:
    """A loaded model, and random tokens for it that are the same in every run.

    Raises:
        InvalidParameter: it cannot keep its context in so few bits.
    """

    def __init__(self, model: Model, plan: SpeedPlan) -> None:
        self._network = model.network
        self._plan = plan
        self._layers = Layers(model.network, model.cache_obstacle)
        self._reader = Reader(model.network)
        self._random = np.random.default_rng(0)
        self._vocabulary = model.vocabulary_size
        self._warm_tokens = 0
        self._empty()

    def series(self, part: SpeedPart) -> Series:
        """Measure one figure."""
        _free()
        mx.reset_peak_memory()
        rate = self.reading(part.tokens) if part.kind == "reading" else self.decoding(part.tokens)
        values = repeat(rate, self._plan.repetitions)
        return Series(part.tokens, values, mx.get_peak_memory())

    def reading(self, tokens: int) -> Callable[[], float]:
        """Return what reads a prompt of so many tokens, and says how many that are in a second."""
        if self._warm_tokens < (enough := min(tokens, _warm_up_tokens)):
            self._read_once(enough)
            self._warm_tokens = enough
        return partial(self._read_once, tokens)

    def _read_once(self, tokens: int) -> float:
        """Return how many tokens of a prompt are read in a second, until the first one of the answer is there."""
        context, prompt = self._empty(), self._tokens(tokens)
        began = time.perf_counter()
        self._read(context, prompt[:-1])
        (taken_s,) = self._decode(context, prompt[-1], 1, began)
        return tokens / taken_s

    def decoding(self, depth: int) -> Callable[[], float]:
        """Return what decodes after so many tokens, and says how many that are in a second."""
        context = self._empty()
        self._read(context, self._tokens(depth))
        context.take_snapshot()
        self._decode_once(context, 1)
        return partial(self._decode_once, context, self._plan.decode_tokens)

    def _decode_once(self, context: Context, count: int) -> float:
        """Return how many tokens are generated in a second after `context`, which is brought back to where it was.

        The time begins with the first one, as the engine counts it.
        """
        depth = len(context.tokens)
        first_s, *_, last_s = self._decode(context, self._tokens(1)[0], 1 + count, 0)
        context.rewind(self._network, depth)
        return count / (last_s - first_s)

    def _empty(self) -> Context:
        return Context(self._layers.make(self._plan.cache_bits), cache_bits=self._plan.cache_bits)

    def _tokens(self, count: int) -> list[int]:
        return [int(token) for token in self._random.integers(0, self._vocabulary, count)]

    def _read(self, context: Context, tokens: list[int]) -> None:
        for _ in self._reader.read(context, tokens, boundaries=(), is_cancelled=lambda: False):
            pass

    def _decode(self, context: Context, token: int, count: int, began_s: float) -> list[float]:
        """Generate so many tokens after `token`; return the seconds at which each was there.

        The one that is begun beyond the last is waited for, so that it is in nobody's way.
        """
        steps: Any = generate_step(mx.array([token]), self._network, max_tokens=count, prompt_cache=context.layers)
        context.tokens.append(token)
        times = []
        with closing(steps):
            for generated, _ in steps:
                times.append(time.perf_counter() - began_s)
                context.tokens.append(generated)
        context.evaluate()
        return times
