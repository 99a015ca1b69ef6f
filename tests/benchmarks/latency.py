"""How soon the engine stops, and how soon its death is known.

    python -m tests.benchmarks.latency [--repetitions 9]

- cancel in prefill: from a cancel at any moment to the `Finished`, against reading that whole prompt
- cancel in decode: the same, against the time of one token
- kill -9 of a worker that answers, to the `ProcessExited`, against a plain child that holds as much memory, which the
  system must free first, and whose end `Popen.wait` waits for
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
from tests.benchmarks.engine_figures import by_turns, starter_model, text_of_tokens

LONG_PROMPT_TOKENS = 500


class Engine:
    """A loaded worker, spoken to directly."""

    def __init__(self, model: Path) -> None:
        self._events: queue.SimpleQueue[tuple[float, Event]] = queue.SimpleQueue()
        self.client = Client(on_event=self._stamp, log_path=Folders.from_environment().logs / "benchmark.log")
        self.client.send(Load(LOAD_ID, str(model)))
        self._seed = 0

    def _stamp(self, event: Event) -> None:
        self._events.put((time.perf_counter(), event))

    def ask(self, prompt_tokens: int) -> str:
        """Ask something never asked before; return the request's id."""
        self._seed += 1
        request_id = uuid.uuid4().hex
        messages = (ChatMessage("user", text_of_tokens(prompt_tokens, self._seed)),)
        self.client.send(Generate(id=request_id, messages=messages, sampling=Sampling(temperature=0, max_tokens=400)))
        return request_id

    def until(self, kind: type[Event], *, nth: int = 1) -> float:
        """Return when the `nth` event of `kind` from now came."""
        seen = 0
        while True:
            at, event = self._events.get(timeout=120)
            seen += isinstance(event, kind)
            if seen == nth:
                return at

    def cancel(self, request_id: str) -> float:
        """Return the seconds from the cancel to the end of the request."""
        cancelled_at = time.perf_counter()
        self.client.send(Cancel(request_id))
        return self.until(Finished) - cancelled_at


def measure_cancel(model: Path, repetitions: int) -> None:
    """Print the latency of a cancel in prefill and in decode."""
    engine, moments = Engine(model), random.Random(1)  # noqa: S311 - no secret

    def whole_prefill() -> float:
        request_id = engine.ask(LONG_PROMPT_TOKENS)
        started = engine.until(Prefill)
        reading_s = engine.until(Delta) - started
        engine.cancel(request_id)
        return reading_s

    def in_prefill() -> float:
        request_id = engine.ask(LONG_PROMPT_TOKENS)
        engine.until(Prefill)
        # Somewhere in the middle, not right after a step, where it would be seen at once.
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
    prefill = by_turns({"cancel": in_prefill, "whole": whole_prefill}, repetitions)
    decode = by_turns({"cancel": in_decode, "token": one_token}, repetitions)
    engine.client.close()
    engine.client.join(10)
    print(
        f"  cancel in prefill: {prefill['cancel'] * 1000:6.1f} ms, "
        f"{prefill['cancel'] / prefill['whole']:.3f} of reading all {LONG_PROMPT_TOKENS:,} tokens"
    )
    print(
        f"  cancel in decode:  {decode['cancel'] * 1000:6.1f} ms, "
        f"{decode['cancel'] / decode['token']:.2f} of one token's {decode['token'] * 1000:.1f} ms"
    )


def measure_death(model: Path, repetitions: int) -> None:
    """Print the time from a kill to the event."""
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
        program = f"held = b'x' * {resident_bytes}; print(flush=True); input()"
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout
            child.stdout.readline()
            killed_at = time.perf_counter()
            child.kill()
            child.wait()
            return time.perf_counter() - killed_at

    death = by_turns({"engine": engine_death, "plain": plain_death}, repetitions)
    print(
        f"  kill -9 to event:  {death['engine'] * 1000:6.1f} ms, {death['engine'] / death['plain']:.2f} of a plain "
        f"child's {death['plain'] * 1000:.1f} ms with the same {resident_bytes / 1e6:,.0f} MB"
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
