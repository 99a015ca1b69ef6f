"""A worker without a model, which follows the protocol and answers from a script.

A real process with real pipes, for tests and benchmarks of everything except MLX:

    EnginePool(…, command=scripted_worker.command(Script(answer="Hello.", rate=100)))

With `die_at` or `hang_at`, it dies or hangs at that point; with `once` (a path), only its first process does. With
`waits`, it pauses until the test lets it continue, so that even a slow test meets a half-finished answer.
"""

import os
import queue
import re
import signal
import sys
import threading
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Literal

import msgspec

from mlx_engine import protocol
from mlx_engine.protocol import (
    Cancel,
    Delta,
    Event,
    Finished,
    FinishReason,
    Generate,
    Load,
    Loaded,
    LoadProgress,
    MalformedRequest,
    Memory,
    Prefill,
    Request,
    RequestFailed,
    SegmentKind,
    Statistics,
)

Point = Literal["never", "start", "load", "prefill", "decode"]

WEIGHTS_BYTES = 1_000_000
CONTEXT_LENGTH = 8192
STEPS = 10


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """Behavior of the worker. Times are in seconds, `rate` is in tokens per second (0: unlimited)."""

    answer: str = "Hello from the script."
    thinking: str = ""
    tokens: int | None = None
    """Length of the answer, which is repeated or cut; a token is a word with the space before it."""
    rate: float = 0
    load_s: float = 0
    prefill_s: float = 0
    fail_load: str = ""
    """Message of the failure; if empty, the load succeeds."""
    fail_answer: str = ""
    die_at: Point = "never"
    die_by: int = signal.SIGKILL
    """Signal that ends the process; 0: it exits with code 3."""
    hang_at: Point = "never"
    once: str = ""
    waits: dict[str, str] = {}
    """Files to wait for in the middle of "load" or "prefill", or after a number of tokens."""
    stderr: str = ""
    """Written to standard error at the start."""
    held_bytes: int = WEIGHTS_BYTES
    """Memory that it reports while it answers."""
    garble: bool = False
    """Write an invalid line before each answer."""


def command(script: Script) -> list[str]:
    """Return the command that runs `script`."""
    return [sys.executable, "-m", "tests.scripted_worker", msgspec.json.encode(script).decode()]


class ScriptedWorker:
    """One process: a thread reads the requests, the main thread answers them in order."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._waiting: set[str] = set()
        self._cancelled: set[str] = set()
        self._changed = threading.Event()
        self._misbehaves = not script.once or not Path(script.once).exists()
        self._exits_at_end_of_input = script.hang_at == "never" or not self._misbehaves

    def run(self) -> None:
        if self._script.stderr:
            os.write(2, self._script.stderr.encode())
        self._reach("start")
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            match self._requests.get():
                case Load() as request:
                    self._load(request)
                case Generate() as request if request.id in self._waiting:
                    self._waiting.remove(request.id)
                    self._answer(request)

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            try:
                request = protocol.decode_request(line)
            except MalformedRequest as error:
                self._emit(RequestFailed(error.id, error.title, error.message))
                continue
            self._accept(request)
        if self._exits_at_end_of_input:
            os._exit(0)

    def _accept(self, request: Request) -> None:
        if not isinstance(request, Cancel):
            self._waiting.add(request.id)
            self._requests.put(request)
        elif request.id in self._waiting:
            self._waiting.remove(request.id)
            self._emit(Finished(request.id, "cancelled"))
        else:
            self._cancelled.add(request.id)
            self._changed.set()

    def _load(self, request: Load) -> None:
        for step in range(STEPS):
            self._emit(LoadProgress(request.id, WEIGHTS_BYTES * step // STEPS, WEIGHTS_BYTES))
            self._wait(self._script.load_s / STEPS)
            if step == STEPS // 2:
                self._reach("load")
                self._wait_for("load", request)
        if self._script.fail_load:
            self._emit(RequestFailed(request.id, "This model is damaged", self._script.fail_load))
            os._exit(1)
        self._emit(
            Loaded(
                id=request.id,
                context_length=CONTEXT_LENGTH,
                can_think=bool(self._script.thinking),
                weights_bytes=WEIGHTS_BYTES,
                load_s=self._script.load_s,
                device="script",
            )
        )

    def _answer(self, request: Generate) -> None:
        if self._script.garble:
            os.write(1, b"a stray line\n")
        if self._script.fail_answer:
            self._emit(RequestFailed(request.id, "Couldn't complete the request", self._script.fail_answer))
            return
        started = time.perf_counter()
        prompt_tokens = sum(len(message.content.split()) for message in request.messages)
        for step in range(STEPS + 1):
            if request.id in self._cancelled:
                self._emit(Finished(request.id, "cancelled"))
                return
            done = prompt_tokens * step // STEPS
            self._emit(Prefill(id=request.id, done_tokens=done, total_tokens=prompt_tokens, cached_tokens=0))
            self._wait(self._script.prefill_s / STEPS)
            if step == STEPS // 2:
                self._reach("prefill")
                self._wait_for("prefill", request)
        self._decode(request, prompt_tokens, started)

    def _decode(self, request: Generate, prompt_tokens: int, started: float) -> None:
        self._emit(Memory(self._script.held_bytes, 0))
        first_token_at = time.perf_counter()
        pieces = self._pieces()[: request.sampling.max_tokens]
        count = 0
        for count, (kind, text) in enumerate(pieces, start=1):
            if request.id in self._cancelled:
                break
            self._emit(Delta(request.id, kind, text, count))
            if count == max(1, len(pieces) // 2):
                self._reach("decode")
            self._wait_for(str(count), request)
            if self._script.rate:
                self._wait(first_token_at + count / self._script.rate - time.perf_counter())
        ended = time.perf_counter()
        reason: FinishReason = "cancelled" if request.id in self._cancelled else "stop"
        statistics = Statistics(
            prompt_tokens=prompt_tokens,
            cached_tokens=0,
            prefill_tokens_per_s=prompt_tokens / (first_token_at - started),
            time_to_first_token_s=first_token_at - started,
            generated_tokens=count,
            decode_tokens_per_s=count / (ended - first_token_at),
            effective_tokens_per_s=count / (ended - started),
            peak_memory_bytes=WEIGHTS_BYTES,
            context_tokens=prompt_tokens + count,
            finish_reason=reason,
        )
        self._emit(Finished(request.id, reason, statistics))

    def _pieces(self) -> list[tuple[SegmentKind, str]]:
        answer = _split_words(self._script.answer)
        if self._script.tokens is not None:
            answer = list(islice(cycle(answer), self._script.tokens))
        return [("thinking", word) for word in _split_words(self._script.thinking)] + [
            ("answer", word) for word in answer
        ]

    def _emit(self, event: Event) -> None:
        os.write(1, protocol.encode(event))

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._changed.wait(seconds)
            self._changed.clear()

    def _wait_for(self, point: str, request: Load | Generate) -> None:
        if file := self._script.waits.get(point):
            while not Path(file).exists() and request.id not in self._cancelled:
                self._wait(0.005)

    def _reach(self, point: Point) -> None:
        if point not in (self._script.die_at, self._script.hang_at) or not self._misbehaves:
            return
        if self._script.once:
            Path(self._script.once).touch()
        if point == self._script.die_at:
            if not self._script.die_by:
                os._exit(3)
            os.kill(os.getpid(), self._script.die_by)
        while True:
            signal.pause()


def _split_words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


if __name__ == "__main__":
    ScriptedWorker(msgspec.json.decode(sys.argv[1], type=Script)).run()
