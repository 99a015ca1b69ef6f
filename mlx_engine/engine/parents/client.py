"""One child process, a worker or a job, with its pipes and the threads that serve them.

Knows that messages are lines and how a process can end; knows nothing about models, or about when to start a process.
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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import msgspec

from mlx_engine import protocol
from mlx_engine.child_command import child_command
from mlx_engine.engine.parents.worker_log import WorkerLog
from mlx_engine.errors import EngineError
from mlx_engine.protocol import ProcessExited

GRACE_S = 2.0
"""Time for a process to end by itself once its standard input is closed."""

_STDERR_S = 1.0
"""Time to read a dead process's standard error. It ends with the process, unless a grandchild holds the pipe open."""

_REASONS = {
    signal.SIGKILL: "It was killed (signal 9), perhaps by the system because memory ran out.",
    signal.SIGABRT: "It aborted (signal 6): Metal or another native library failed, often for lack of memory.",
    signal.SIGSEGV: "It crashed in native code (segmentation fault, signal 11).",
    signal.SIGBUS: "It crashed in native code (bus error): a file may have changed or disappeared while it was in use.",
    signal.SIGILL: "It crashed in native code (illegal instruction): a library does not support this processor.",
    signal.SIGTERM: "It was terminated (signal 15).",
}


E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Parcel(Generic[E]):
    """An event on its way from a client's thread to the owner's thread. `key` is the owner's number for the client."""

    key: int
    event: E


class Client(Generic[E]):
    """A child process, started at once; a worker by default.

    `on_event` is called from the client's reader thread, in the order of the events; the last one is always a
    `ProcessExited`, exactly once. Standard error of the process goes to `log_path`. `decode` reads a line of its
    standard output.

    Raises:
        EngineError: the system could not start the process.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[E | ProcessExited], None],
        log_path: Path,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        decode: Callable[[bytes], E] = protocol.decode_event,  # type: ignore[assignment]  # E is Event then
    ) -> None:
        command = list(command or child_command("worker"))
        try:
            self._process = _start(command, environment or worker_environment())
        except OSError as error:
            raise EngineError(f"Couldn't start the engine process: {error.strerror}.") from error
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
        """Queue the request without waiting. It is dropped if the process has ended."""
        self._requests.put(protocol.encode(request))

    @property
    def log_tail(self) -> str:
        """The last lines the process has written to its standard error."""
        return self._log.tail()

    def close(self) -> None:
        """Close the standard input of the process, and kill it if it does not end by itself. Returns at once."""
        if self._closing:
            return
        self._closing = True
        self._requests.put(None)
        _thread(self._wait_or_kill)

    def join(self, timeout_s: float) -> bool:
        """Wait for the last event; return False on a timeout."""
        self._reader.join(timeout_s)
        return not self._reader.is_alive()

    def _wait_or_kill(self) -> None:
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _write(self, stdin: IO[bytes]) -> None:
        # A broken pipe means that the process has ended, which the reader reports.
        with contextlib.suppress(OSError), stdin:
            while (line := self._requests.get()) is not None:
                stdin.write(line)
                stdin.flush()

    def _read(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._emit(line)
        self._wait_or_kill()
        returncode = self._process.wait()
        self._requests.put(None)
        self._stderr.join(_STDERR_S)
        reason = "" if self._closing else reason_of(returncode)
        self._on_event(ProcessExited(returncode, self._closing, reason, self._log.tail()))

    def _emit(self, line: bytes) -> None:
        try:
            event = self._decode(line)
        except msgspec.DecodeError as error:
            self._log.write(f"Not an event ({error}): {line[:200]!r}")
            return
        if not isinstance(event, ProcessExited):  # Only the reader reports the end of the process.
            self._on_event(event)


def worker_environment() -> dict[str, str]:
    """Return the environment for a worker: this process's, without network access and with a fast BLAS on Linux."""
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
    """Return a sentence on why a process ended unexpectedly; negative codes are signals."""
    if returncode == 0:
        return "It ended unexpectedly."
    if returncode > 0:
        return f"It ended with exit code {returncode}."
    try:
        number = signal.Signals(-returncode)
    except ValueError:
        return f"It was ended by signal {-returncode}."
    return _REASONS.get(number, f"It was ended by {number.name} (signal {number.value}).")


def _openblas() -> Path | None:
    # WORKAROUND(mlx-cpu 0.32): it ships the reference BLAS, 40 times slower. Remove once it ships a fast one.
    patterns = ("lib/*-linux-gnu/libopenblas.so.0", "lib*/libopenblas.so.0", "local/lib*/libopenblas.so.0")
    return next((path for pattern in patterns for path in sorted(Path("/usr").glob(pattern))), None)


def _start(command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - the command is ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # Python puts the working directory on its import path: use the one with this package, not the user's.
        cwd=Path(__file__).parents[3],
        # Control-C in a terminal goes to the parent only.
        start_new_session=True,
    )


def _thread(target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread
