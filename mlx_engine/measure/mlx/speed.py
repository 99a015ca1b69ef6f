"""Measures load time, prefill speed and decode speed with the same steps as the engine.

Like `llama-bench`, it reads random tokens and decodes past any end-of-text token, from the same state in every
repetition, after an untimed warm-up. Unlike it, the first generated token counts as prefill, since the user waits for
it. Repetitions that differ too much are repeated once; if they still do, the rate is marked as unreliable.

It does not use the chat template, the tokenizer or sampling, which take additional time in a chat.
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
from mlx_lm.sample_utils import greedy_sampler

from mlx_engine.errors import EngineError, FacetError, OutOfMemory
from mlx_engine.inference.context import Context
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.inference.prefill import Reader
from mlx_engine.inference.sampling import CheckedSampler
from mlx_engine.measure.mlx.memory_guard import engine_errors
from mlx_engine.measure.results import residency
from mlx_engine.measure.results.conditions import ConditionsMonitor
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.speed_parts import SpeedBounds, SpeedPart, limit_to_free_memory, speed_parts
from mlx_engine.measure.results.speed_result import WARM_UP_TOKENS, RateSeries, SpeedPlan, SpeedResult, is_disturbed
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import this_machine

_MAX_SWAPPED_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class SpeedUpdate:
    """The current step as text, and the result so far, None before the model is loaded.

    The result is complete when `done` equals `total`.
    """

    done: int
    total: int
    step: str
    so_far: SpeedResult | None


def measure_speed(
    path: Path, plan: SpeedPlan, *, name: str, fingerprint_cache: Fingerprints, monitor: ConditionsMonitor | None = None
) -> Iterator[SpeedUpdate]:
    """Measure the model `name` in the folder `path`, while `monitor` records the conditions.

    Parts that exceed the model's context or the free memory are skipped, with a reason. A part that fails does not
    affect the others.

    Raises:
        ModelError, OutOfMemory: it cannot be opened, or does not fit.
        InvalidParameter: the model does not support a KV cache of this precision.
        EngineError: MLX failed, and nothing could be measured.
    """
    monitor = monitor or ConditionsMonitor()
    bounds = SpeedBounds(
        describe(path, name), limit_to_free_memory(this_machine(), monitor.free_memory_bytes), plan.cache_bits
    )
    bounds.require_memory()
    too_long = list(filter(None, map(bounds.beyond_context, speed_parts(plan))))
    within_context = [part for part in speed_parts(plan) if not bounds.beyond_context(part)]
    too_large = list(filter(None, map(bounds.beyond_memory, within_context)))
    possible = [part for part in within_context if not bounds.beyond_memory(part)]
    total = 1 + len(possible)
    yield SpeedUpdate(0, total, "loading", None)
    run = _Run(path, plan, name, monitor, fingerprint_cache)
    run.skipped += too_long + too_large
    run.lacks_memory = bool(too_large)
    for done, part in enumerate(possible, 1):
        yield SpeedUpdate(done, total, part.text, run.result())
        if reason := run.measure(part):
            run.lacks_memory = True
            run.skipped += (f"{later.text}, because {reason}" for later in possible[done:])
            break
    run.require_something()
    yield SpeedUpdate(total, total, "done", run.result())


class _Run:
    """A loaded model and its result so far."""

    def __init__(
        self, path: Path, plan: SpeedPlan, name: str, monitor: ConditionsMonitor, fingerprint_cache: Fingerprints
    ) -> None:
        self.skipped: list[str] = []
        self.lacks_memory = False
        self._plan, self._name, self._monitor = plan, name, monitor
        self._series: list[tuple[SpeedPart, RateSeries]] = []
        self._failures: list[tuple[SpeedPart, FacetError]] = []
        residency.evict(path)
        self._resident_share = residency.resident_share(path)
        first_s, model = _load(path)
        # Two copies may not fit into memory.
        del model
        _free()
        second_s, model = _load(path)
        self._load_s = (first_s, second_s)
        self._weights = fingerprint_cache.of(path)
        self._bench = Bench(model, plan)

    def measure(self, part: SpeedPart) -> str:
        """Measure one part; return the reason not to try a longer one, "" if there is none."""
        try:
            with engine_errors(self._name):
                self._series.append((part, self._bench.series(part)))
        except EngineError as error:
            self._failures.append((part, error))
            _free()
            if isinstance(error, OutOfMemory):
                return "memory ran out"
        return "the Mac started to swap" if self._monitor.swapped_bytes > _MAX_SWAPPED_BYTES else ""

    def require_something(self) -> None:
        """Raise the first failure if nothing could be measured.

        Raises:
            EngineError: every part has failed.
        """
        if self._failures and not self._series:
            raise self._failures[0][1]

    def result(self) -> SpeedResult:
        """Return the result so far."""
        return SpeedResult(
            model=self._name,
            weights=self._weights,
            plan=self._plan,
            load_s=self._load_s,
            resident_share=self._resident_share,
            prefill_rates=tuple(series for part, series in self._series if part.kind == "prefill"),
            decode_rates=tuple(series for part, series in self._series if part.kind == "decode"),
            skipped=tuple(self.skipped),
            lacks_memory=self.lacks_memory,
            failures=tuple(f"{part.text}: {error.message.rstrip('.')}" for part, error in self._failures),
            peak_memory_bytes=max(
                (series.peak_memory_bytes for _, series in self._series), default=mx.get_peak_memory()
            ),
            conditions=self._monitor.conditions(),
            machine=device_name(),
            created=provenance.now(),
            tools=provenance.measured_with(),
        )


def _load(path: Path) -> tuple[float, Model]:
    start = time.perf_counter()
    model = open_model(path)
    for _ in model.read_weights():
        pass
    return time.perf_counter() - start, model


def _free() -> None:
    gc.collect()
    mx.clear_cache()


def repeat(rate: Callable[[], float], times: int) -> tuple[float, ...]:
    """Measure `rate` the given number of times, and all over again once if the values differ too much."""
    values = tuple(rate() for _ in range(times))
    return tuple(rate() for _ in range(times)) if is_disturbed(values) else values


class Bench:
    """A loaded model, and random tokens for it that are the same in every run.

    Raises:
        InvalidParameter: the model does not support a KV cache of this precision.
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

    def series(self, part: SpeedPart) -> RateSeries:
        """Measure one part."""
        _free()
        mx.reset_peak_memory()
        rate = self.prefill(part.tokens) if part.kind == "prefill" else self.decode(part.tokens)
        values = repeat(rate, self._plan.repetitions)
        return RateSeries(part.tokens, values, mx.get_peak_memory())

    def prefill(self, tokens: int) -> Callable[[], float]:
        """Return a function that reads a prompt of `tokens` and returns tokens per second."""
        if self._warm_tokens < (needed := min(tokens, WARM_UP_TOKENS)):
            self._prefill_once(needed)
            self._warm_tokens = needed
        return partial(self._prefill_once, tokens)

    def _prefill_once(self, tokens: int) -> float:
        """Return the prompt tokens per second, up to the first generated token."""
        context, prompt = self._empty(), self._tokens(tokens)
        start = time.perf_counter()
        self._read(context, prompt[:-1])
        (duration_s,) = self._generate(context, prompt[-1], 1, start)
        return tokens / duration_s

    def decode(self, depth: int) -> Callable[[], float]:
        """Return a function that decodes after a context of `depth` tokens and returns tokens per second."""
        context = self._empty()
        self._read(context, self._tokens(depth))
        context.take_snapshot()
        self._decode_once(context, 1)
        return partial(self._decode_once, context, self._plan.decode_tokens)

    def _decode_once(self, context: Context, count: int) -> float:
        """Return the generated tokens per second after `context`, which is rewound to its previous state.

        Timing starts at the first token, as in the engine.
        """
        depth = len(context.tokens)
        first_s, *_, last_s = self._generate(context, self._tokens(1)[0], 1 + count, 0)
        context.rewind(self._network, depth)
        return count / (last_s - first_s)

    def _empty(self) -> Context:
        return Context(self._layers.make(self._plan.cache_bits), cache_bits=self._plan.cache_bits)

    def _tokens(self, count: int) -> list[int]:
        return [int(token) for token in self._random.integers(0, self._vocabulary, count)]

    def _read(self, context: Context, tokens: list[int]) -> None:
        for _ in self._reader.read(context, tokens, boundaries=(), is_cancelled=lambda: False):
            pass

    def _generate(self, context: Context, token: int, count: int, start_s: float) -> list[float]:
        """Generate `count` tokens after `token` and return the time of each, in seconds since `start_s`.

        It waits for the extra token that is already being computed, so that it does not delay a later measurement.
        """
        sampler = CheckedSampler(greedy_sampler)
        steps: Any = generate_step(
            mx.array([token]), self._network, max_tokens=count, prompt_cache=context.layers, sampler=sampler
        )
        context.tokens.append(token)
        times = []
        with closing(steps):
            for generated, _ in steps:
                times.append(time.perf_counter() - start_s)
                sampler.check()
                context.tokens.append(generated)
        context.evaluate()
        return times
