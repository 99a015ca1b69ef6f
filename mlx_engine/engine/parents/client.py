"""One child process, a worker or a job, its pipes, and the threads that serve them.

Knows that messages are lines and how a process can end; knows nothing of models or of what to start when.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import msgspec

from mlx_engine import protocol
from mlx_engine.engine.parents.worker_log import WorkerLog
from mlx_engine.errors import EngineError
from mlx_engine.protocol import WorkerExited

GRACE_S = 2.0
"""How long a worker may take to end by itself once its standard input is closed."""

_LAST_WORDS_S = 0.05
"""How long a dead worker's standard error is still read; a grandchild may hold it open for ever."""

_REASONS = {
    signal.SIGKILL: "It was killed from outside (signal 9), perhaps by the system because memory ran out.",
    signal.SIGABRT: "It aborted (signal 6): Metal or another native library gave up, often for want of memory.",
    signal.SIGSEGV: "It crashed in native code (segmentation fault, signal 11).",
    signal.SIGBUS: "It crashed in native code (bus error): a file may have changed or vanished while it was in use.",
    signal.SIGILL: "It crashed in native code (illegal instruction): a library does not suit this processor.",
    signal.SIGTERM: "It was asked to end from outside (signal 15).",
}


E = TypeVar("E")


class Client(Generic[E]):
    """A child process, started at once; by default a worker.

    `on_event` is called from a thread of the client's own, in the order of the events; the last one is always a
    `WorkerExited`, exactly once. What the process writes to its standard error goes to `log_path`. `decode` reads a
    line of its standard output.

    Raises:
        EngineError: the system could not start the process.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[E | WorkerExited], None],
        log_path: Path,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        decode: Callable[[bytes], E] = protocol.decode_event,  # type: ignore[assignment]  # E is Event then
    ) -> None:
        command = list(command or worker_command())
        try:
            self._process = _start(command, environment or worker_environment())
        except OSError as error:
            raise EngineError(f"The engine's process could not be started: {error.strerror}.") from error
        self.pid = self._process.pid
        self._on_event = on_event
        self._decode = decode
        self._log = WorkerLog(log_path)
        self._log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} process {self.pid}")
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._closing = False
        self._stderr = _thread(self._log.drain, self._process.stderr)
        _thread(self._write, self._process.stdin)
        self._reader = _thread(self._read, self._process.stdout)

    def send(self, request: msgspec.Struct) -> None:
        """Queue the request; it never waits, and is dropped if the process is gone."""
        self._requests.put(protocol.encode(request))

    @property
    def log_tail(self) -> str:
        """The last lines of what the process has written to its standard error."""
        return self._log.tail()

    def close(self) -> None:
        """End the worker: close its standard input, and kill it if it does not end by itself. Returns at once."""
        if self._closing:
            return
        self._closing = True
        self._requests.put(None)
        _thread(self._see_it_end)

    def join(self, timeout_s: float) -> bool:
        """Wait until the last event was told; return whether it was."""
        self._reader.join(timeout_s)
        return not self._reader.is_alive()

    def _see_it_end(self) -> None:
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _write(self, stdin: IO[bytes]) -> None:
        # A broken pipe means that the process is gone; the reader tells so.
        with contextlib.suppress(OSError), stdin:
            while (line := self._requests.get()) is not None:
                stdin.write(line)
                stdin.flush()

    def _read(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._tell(line)
        self._see_it_end()
        returncode = self._process.wait()
        self._requests.put(None)
        self._stderr.join(_LAST_WORDS_S)
        reason = "" if self._closing else reason_of(returncode)
        self._on_event(WorkerExited(returncode, self._closing, reason, self._log.tail()))

    def _tell(self, line: bytes) -> None:
        try:
            event = self._decode(line)
        except msgspec.DecodeError as error:
            self._log.write(f"Not an event ({error}): {line[:200]!r}")
            return
        if not isinstance(event, WorkerExited):  # Only the reader knows when that is so.
            self._on_event(event)


def worker_command() -> list[str]:
    """Return the command that starts a worker."""
    return own_command("worker")


def own_command(kind: str) -> list[str]:
    """Return the command of a child process: by this Python, or by the packaged app, which is its own Python."""
    if Path(sys.executable).name.lower().startswith("python") and not getattr(sys, "frozen", False):
        return [sys.executable, "-m", "mlx_engine", kind]
    return [sys.executable, f"--{kind}"]


def worker_environment() -> dict[str, str]:
    """Return this process's environment with what a worker needs: nothing from the network, a fast BLAS on Linux."""
    environment = dict(os.environ)
    environment |= {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
        "PYTHONUTF8": "1",
    }
    if sys.platform == "linux" and (blas := _openblas()) is not None:
        preloaded = environment.get("LD_PRELOAD", "")
        environment["LD_PRELOAD"] = f"{preloaded} {blas}".strip()
    return environment


def reason_of(returncode: int) -> str:
    """Return in words why a process ended that was not asked to; negative codes are signals."""
    if returncode == 0:
        return "It ended although nobody had asked it to."
    if returncode > 0:
        return f"It ended with exit code {returncode}."
    try:
        number = signal.Signals(-returncode)
    except ValueError:
        return f"It was ended by signal {-returncode}."
    return _REASONS.get(number, f"It was ended by {number.name} (signal {number.value}).")


def _openblas() -> Path | None:
    # WORKAROUND(mlx-cpu 0.32): its own BLAS is the reference one, 40 times slower. May go once it ships a fast one.
    patterns = ("lib/*-linux-gnu/libopenblas.so.0", "lib*/libopenblas.so.0", "local/lib*/libopenblas.so.0")
    return next((found for pattern in patterns for found in sorted(Path("/usr").glob(pattern))), None)


def _start(command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - the command is ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # Python puts the working directory on its import path: be it the one that holds this package, not the user's.
        cwd=Path(__file__).parents[3],
        # Control-C in a terminal is for the program that the person talks to.
        start_new_session=True,
    )


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread
