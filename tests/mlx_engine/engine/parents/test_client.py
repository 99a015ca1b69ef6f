import contextlib
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlx_engine.engine.parents import client as client_module
from mlx_engine.engine.parents.client import Client, reason_of, worker_environment
from mlx_engine.errors import EngineError
from mlx_engine.protocol import (
    ChatMessage,
    Delta,
    Event,
    Finished,
    Generate,
    Load,
    LoadProgress,
    ProcessExited,
    Request,
)
from tests import scripted_worker
from tests.scripted_worker import Script

QUESTION = Generate(id="a", messages=(ChatMessage("user", "Say something."),))

pytestmark = pytest.mark.process


class Conversation:
    """A client and its events."""

    def __init__(self, log_path: Path, command: list[str]) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.client = Client(on_event=self.events.put, log_path=log_path, command=command)

    def send(self, *requests: Request) -> None:
        for request in requests:
            self.client.send(request)

    def until(self, kind: type[Event]) -> list[Event]:
        """Return the events up to the first of `kind`, that one included."""
        events = [self.events.get(timeout=20)]
        while not isinstance(events[-1], kind):
            events.append(self.events.get(timeout=20))
        return events

    def exit(self) -> ProcessExited:
        exited = self.until(ProcessExited)[-1]
        assert isinstance(exited, ProcessExited)
        return exited


Start = Callable[[Script], Conversation]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start scripted workers; all of them end with the test."""
    started: list[Conversation] = []

    def start(script: Script) -> Conversation:
        started.append(Conversation(tmp_path / "engine.log", scripted_worker.command(script)))
        return started[-1]

    yield start
    for conversation in started:
        conversation.client.close()
        assert conversation.client.join(10)


def test_events_arrive_in_order(start: Start) -> None:
    """From the first byte of the load to the statistics of the answer."""
    conversation = start(Script(answer="one two three"))
    conversation.send(Load("load", "/a/model"), QUESTION)
    events = conversation.until(Finished)

    kinds = [type(event).__name__ for event in events]
    assert kinds == sorted(kinds, key=["LoadProgress", "Loaded", "Prefill", "Memory", "Delta", "Finished"].index)
    assert [event.text for event in events if isinstance(event, Delta)] == ["one", " two", " three"]


def test_closing_ends_the_worker_as_expected(start: Start) -> None:
    """The last event is marked as expected, and no zombie remains."""
    conversation = start(Script())
    conversation.client.close()
    conversation.client.close()

    exited = conversation.exit()
    assert (exited.returncode, exited.expected, exited.reason) == (0, True, "")
    assert not psutil.pid_exists(conversation.client.pid)


@pytest.mark.parametrize("point", ["start", "load", "prefill", "decode"])
def test_a_kill_is_reported_with_its_reason_and_log(start: Start, point: scripted_worker.Point) -> None:
    """At any stage, the death of a worker is one last event."""
    conversation = start(Script(die_at=point, stderr="something odd\n"))
    conversation.send(Load("load", "/a/model"), QUESTION)
    exited = conversation.exit()

    assert exited.returncode == -signal.SIGKILL
    assert not exited.expected
    assert "was killed" in exited.reason
    assert exited.log_tail.endswith("something odd")
    assert conversation.client.join(10)
    assert conversation.events.empty()


def test_a_death_is_reported_at_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without waiting for the grace period."""
    monkeypatch.setattr(client_module, "GRACE_S", 3600)
    conversation = start(Script(rate=100, tokens=10_000))
    conversation.send(Load("load", "/a/model"), QUESTION)
    conversation.until(Delta)
    os.kill(conversation.client.pid, signal.SIGKILL)

    assert conversation.exit().returncode == -signal.SIGKILL


def test_an_exit_code_is_reported(start: Start) -> None:
    """A worker that exits by itself is not reported as killed."""
    conversation = start(Script(die_at="load", die_by=0))
    conversation.send(Load("load", "/a/model"))

    assert conversation.exit().reason == "It ended with exit code 3."


def test_a_worker_that_hangs_is_killed_after_the_grace_period(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ignores its closed input does not outlive its client."""
    monkeypatch.setattr(client_module, "GRACE_S", 0.2)
    conversation = start(Script(hang_at="load"))
    conversation.send(Load("load", "/a/model"))
    conversation.until(LoadProgress)
    conversation.client.close()

    exited = conversation.exit()
    assert (exited.returncode, exited.expected) == (-signal.SIGKILL, True)


def test_closing_does_not_wait_for_a_worker_that_hangs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It returns while the process still has its grace period."""
    monkeypatch.setattr(client_module, "GRACE_S", 3600)
    conversation = start(Script(hang_at="load"))
    conversation.send(Load("load", "/a/model"))
    conversation.until(LoadProgress)
    conversation.client.close()

    os.kill(conversation.client.pid, signal.SIGKILL)
    assert conversation.exit().expected


def test_a_large_message_to_a_busy_worker_does_not_block_the_caller(start: Start) -> None:
    """The pipe is full after 64 kB, and the worker reads only after the send; the caller is the window's thread."""
    conversation = start(Script())
    psutil.Process(conversation.client.pid).suspend()
    large = Generate(id="a", messages=(ChatMessage("user", "word " * 200_000),))
    conversation.send(Load("load", "/a/model"), large)
    psutil.Process(conversation.client.pid).resume()

    finished = conversation.until(Finished)[-1]
    assert isinstance(finished, Finished)
    assert finished.statistics is not None
    assert finished.statistics.prompt_tokens == 200_000


def test_sending_to_a_dead_worker_is_harmless(start: Start) -> None:
    """An event reports its death, not an exception in the code that sends."""
    conversation = start(Script(die_at="start"))
    conversation.exit()
    conversation.send(QUESTION)
    conversation.client.close()

    assert conversation.events.empty()


def test_an_invalid_line_goes_to_the_log(start: Start, tmp_path: Path) -> None:
    """The events around it are not affected."""
    conversation = start(Script(garble=True))
    conversation.send(Load("load", "/a/model"), QUESTION)
    conversation.until(Finished)

    assert "a stray line" in (tmp_path / "engine.log").read_text()


def test_a_worker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """No orphan outlives a killed window."""
    pid_file = tmp_path / "pid"
    program = (
        "import os, sys, pathlib, signal\n"
        "from mlx_engine.engine.parents.client import Client\n"
        "from tests import scripted_worker\n"
        "command = scripted_worker.command(scripted_worker.Script())\n"
        f"client = Client(on_event=print, log_path=pathlib.Path({str(tmp_path / 'engine.log')!r}), command=command)\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(client.pid))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(scripted_worker.__file__).parents[1]
    parent = psutil.Popen([sys.executable, "-c", program], cwd=root)
    assert parent.wait(20) == -signal.SIGKILL

    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(pid_file.read_text())).wait(20)


def test_a_program_that_does_not_exist_is_an_engine_error(tmp_path: Path) -> None:
    """The message contains the system's reason."""
    with pytest.raises(EngineError, match="No such file"):
        Client(on_event=print, log_path=tmp_path / "engine.log", command=["/no/such/program"])


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (0, "unexpectedly"),
        (3, "exit code 3"),
        (-signal.SIGABRT, "Metal"),
        (-signal.SIGSEGV, "native code"),
        (-signal.SIGHUP, "SIGHUP"),
        (-250, "signal 250"),
    ],
)
def test_every_exit_code_has_a_reason(returncode: int, words: str) -> None:
    """Signals are explained in words."""
    assert words in reason_of(returncode)


def test_the_environment_keeps_the_worker_off_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that were preloaded before stay preloaded."""
    monkeypatch.setenv("LD_PRELOAD", "libfirst.so")

    environment = worker_environment()
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["LD_PRELOAD"].startswith("libfirst.so")
