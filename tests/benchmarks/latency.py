"""Latency of a cancel, and of noticing the death of a worker.

    python -m tests.benchmarks.latency [--repetitions 9]

- cancel during prefill: time from a cancel at a random moment to `Finished`, compared with reading the whole prompt
- cancel during decode: the same, compared with the time of one token
- kill -9 of an answering worker: time to `ProcessExited`, compared with `Popen.wait` for a plain child with the same
  amount of memory, which the system must free first
"""

import argparse
import os
import queue
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil

from mlx_engine.engine.parents.client import Client
from mlx_engine.engine.values.state import LOAD_ID
from mlx_engine.folders import Folders
from mlx_engine.protocol import Cancel, ChatMessage, Delta, Event, Finished, Generate, Load, Prefill, ProcessExited
from mlx_engine.sampling import Sampling
from tests.benchmarks.engine_benchmark import interleaved_medians, random_text, starter_model

LONG_PROMPT_TOKENS = 500


class Engine:
    """A loaded worker, used without a pool."""

    def __init__(self, model: Path) -> None:
        self._events: queue.SimpleQueue[tuple[float, Event]] = queue.SimpleQueue()
        self.client = Client(on_event=self._stamp, log_path=Folders.from_environment().logs / "benchmark.log")
        self.client.send(Load(LOAD_ID, str(model)))
        self._seed = 0

    def _stamp(self, event: Event) -> None:
        self._events.put((time.perf_counter(), event))

    def ask(self, prompt_tokens: int) -> str:
        """Send a new question; return the id of the request."""
        self._seed += 1
        request_id = uuid.uuid4().hex
        messages = (ChatMessage("user", random_text(prompt_tokens, self._seed)),)
        self.client.send(Generate(id=request_id, messages=messages, sampling=Sampling(temperature=0, max_tokens=400)))
        return request_id

    def until(self, kind: type[Event], *, nth: int = 1) -> float:
        """Return the arrival time of the `nth` next event of `kind`."""
        count = 0
        while True:
            at, event = self._events.get(timeout=120)
            count += isinstance(event, kind)
            if count == nth:
                return at

    def cancel(self, request_id: str) -> float:
        """Return the seconds from the cancel to the end of the request."""
        start = time.perf_counter()
        self.client.send(Cancel(request_id))
        return self.until(Finished) - start


def measure_cancel(model: Path, repetitions: int) -> None:
    """Print the latency of a cancel during prefill and during decode."""
    engine, moments = Engine(model), random.Random(1)  # noqa: S311 - not a secret

    def whole_prefill() -> float:
        request_id = engine.ask(LONG_PROMPT_TOKENS)
        started = engine.until(Prefill)
        reading_s = engine.until(Delta) - started
        engine.cancel(request_id)
        return reading_s

    def in_prefill() -> float:
        request_id = engine.ask(LONG_PROMPT_TOKENS)
        engine.until(Prefill)
        # At a random moment, because immediately after a step the cancel would be noticed at once.
        time.sleep(moments.uniform(0.1, 0.6) * reading_s)
        return engine.cancel(request_id)

    def one_token() -> float:
        request_id = engine.ask(10)
        started = engine.until(Delta)
        token_s = (engine.until(Delta, nth=10) - started) / 10
        engine.cancel(request_id)
        return token_s

    def in_decode() -> float:
        request_id = engine.ask(10)
        engine.until(Delta, nth=5)
        return engine.cancel(request_id)

    reading_s = whole_prefill()
    prefill = interleaved_medians({"cancel": in_prefill, "whole": whole_prefill}, repetitions)
    decode = interleaved_medians({"cancel": in_decode, "token": one_token}, repetitions)
    engine.client.close()
    engine.client.join(10)
    print(
        f"  cancel during prefill: {prefill['cancel'] * 1000:6.1f} ms, "
        f"{prefill['cancel'] / prefill['whole']:.3f} of reading all {LONG_PROMPT_TOKENS:,} tokens"
    )
    print(
        f"  cancel during decode:  {decode['cancel'] * 1000:6.1f} ms, "
        f"{decode['cancel'] / decode['token']:.2f} of the {decode['token'] * 1000:.1f} ms of a token"
    )


def measure_death(model: Path, repetitions: int) -> None:
    """Print the time from a kill to its event."""
    resident_bytes = 0

    def engine_death() -> float:
        nonlocal resident_bytes
        engine = Engine(model)
        engine.ask(10)
        engine.until(Delta)
        resident_bytes = psutil.Process(engine.client.pid).memory_info().rss
        killed_at = time.perf_counter()
        os.kill(engine.client.pid, signal.SIGKILL)
        return engine.until(ProcessExited) - killed_at

    def plain_death() -> float:
        program = f"memory = b'x' * {resident_bytes}; print(flush=True); input()"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout
            child.stdout.readline()
            killed_at = time.perf_counter()
            child.kill()
            child.wait()
            return time.perf_counter() - killed_at

    death = interleaved_medians({"engine": engine_death, "plain": plain_death}, repetitions)
    print(
        f"  kill -9 to event:      {death['engine'] * 1000:6.1f} ms, {death['engine'] / death['plain']:.2f} of the "
        f"{death['plain'] * 1000:.1f} ms of a plain child with the same {resident_bytes / 1e6:,.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    model = starter_model()
    print(f"latency, medians of {options.repetitions}:")
    measure_cancel(model, options.repetitions)
    measure_death(model, max(3, options.repetitions // 3))


if __name__ == "__main__":
    main()
