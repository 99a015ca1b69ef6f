"""Pool of scripted workers: forks them from a single process whose imports are done, instead of starting Python.

They are real processes with real pipes, which can be killed and hang. Only the start differs and takes a few
milliseconds: they ignore the environment of the command, and they are grandchildren.

    client ── start ──► server ── fork ──► reaper ── fork ──► worker
                                             └── pid, then exit code ──► client
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import IO, NoReturn

import msgspec

from mlx_engine.engine.parents import client
from tests import scripted_worker
from tests.scripted_worker import Script, ScriptedWorker

_PROGRAM = scripted_worker.command(Script())[:-1]
_start_by_python: Callable[[list[str], Mapping[str, str]], "subprocess.Popen[bytes]"] = client._start


class ForkedWorker:
    """A worker process, with the part of the `subprocess.Popen` interface that a client needs."""

    def __init__(self, pipes: list[IO[bytes]], status: IO[bytes]) -> None:
        self.stdin, self.stdout, self.stderr = pipes
        self.pid = int(status.readline())
        self._returncode = 0
        self._ended = threading.Event()
        threading.Thread(target=self._watch, args=(status,), daemon=True).start()

    def _watch(self, status: IO[bytes]) -> None:
        with status:
            self._returncode = int(status.read())
        self._ended.set()

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("a scripted worker", timeout or 0)
        return self._returncode

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class WorkerPool:
    """Client of the server process, which starts with the first worker."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._socket, self._server_end = socket.socketpair()

    def start(self, command: list[str], environment: Mapping[str, str]) -> "ForkedWorker | subprocess.Popen[bytes]":
        """Start a process in place of `client._start`, which still starts everything but scripted workers."""
        *program, script = command
        if program != _PROGRAM:
            return _start_by_python(command, environment)
        sys.audit("os.fork")  # for `tests/process_mark.py`: the server forks in another process
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.worker_pool"], stdin=self._server_end, start_new_session=True
            )
        (stdin, requests), (events, stdout), (log, stderr), (result, status) = (os.pipe() for _ in range(4))
        worker_ends = [stdin, stdout, stderr, status]
        socket.send_fds(self._socket, [script.encode()], worker_ends)
        pipes = [os.fdopen(requests, "wb"), os.fdopen(events, "rb"), os.fdopen(log, "rb")]
        # The client sees the end of a stream only if no other process has its other end open.
        for descriptor in worker_ends:
            os.close(descriptor)
        return ForkedWorker(pipes, os.fdopen(result, "rb"))

    def close(self) -> None:
        self._server_end.close()
        self._socket.close()
        if self._server is not None:
            self._server.wait()


def serve(requests: socket.socket) -> None:
    """Fork a worker for each script, which comes with four descriptors, until the client closes its socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        script, descriptors, _, _ = socket.recv_fds(requests, 2**20, 4)
        if not script:
            return
        if os.fork() == 0:
            requests.close()
            _reap(msgspec.json.decode(script, type=Script), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap(script: Script, descriptors: list[int]) -> NoReturn:
    """Fork the worker; write its pid, then its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *pipes, status = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(status)
        _work(script, pipes)
    for pipe in pipes:
        os.close(pipe)
    os.write(status, b"%d\n" % pid)
    os.write(status, b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _work(script: Script, pipes: list[int]) -> NoReturn:
    os.setsid()
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    try:
        ScriptedWorker(script).run()
    except BaseException:  # noqa: BLE001 - as Python itself does
        traceback.print_exc()
    os._exit(1)


if __name__ == "__main__":
    server = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed
        os.dup2(nothing.fileno(), 0)
    serve(server)
