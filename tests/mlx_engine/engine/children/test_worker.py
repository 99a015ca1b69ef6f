"""The worker as a real child process."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine import protocol
from mlx_engine.child_command import child_command
from mlx_engine.engine.children.worker import keep_file_limit
from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.protocol import (
    Cancel,
    ChatMessage,
    Delta,
    Event,
    Finished,
    Generate,
    Load,
    Loaded,
    LoadProgress,
    Memory,
    Prefill,
    Request,
    RequestFailed,
)
from mlx_engine.sampling import Sampling

ROOT = Path(__file__).parents[4]

pytestmark = pytest.mark.process

# Prints like a careless library, once the worker has its pipes.
NOISY_WORKER = """
import os, sys
from mlx_engine.engine.children import worker
open_pipes = worker.open_pipes
def open_pipes_and_print(log_level):
    pipes = open_pipes(log_level)
    print("noise from Python", flush=True)
    os.write(1, b"noise from C\\n")
    return pipes
worker.open_pipes = open_pipes_and_print
worker.main()
"""


def ask(id: str, text: str = "Hello", max_tokens: int = 5) -> Generate:
    return Generate(
        id=id, messages=(ChatMessage("user", text),), sampling=Sampling(temperature=0, max_tokens=max_tokens)
    )


class Worker:
    """A worker process with methods to write and read lines."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or child_command("worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=worker_environment(),
            cwd=ROOT,
        )

    def write(self, *lines: bytes | Request) -> None:
        stdin = self.process.stdin
        assert stdin
        for line in lines:
            stdin.write(line if isinstance(line, bytes) else protocol.encode(line))
        stdin.flush()

    def read(self) -> Event:
        assert self.process.stdout
        return protocol.decode_event(self.process.stdout.readline())

    def until(self, *ids: str) -> list[Event]:
        """Return the events until all these requests have ended."""
        waiting, events = set(ids), []
        while waiting:
            events.append(event := self.read())
            if isinstance(event, Loaded | Finished | RequestFailed):
                waiting.discard(event.id)
        return events

    def end(self) -> tuple[int, bytes, bytes]:
        """Close standard input; return the exit code and the rest of both outputs."""
        stdout, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stdout, stderr


@pytest.fixture
def fresh() -> Iterator[Worker]:
    """A newly started worker."""
    worker = Worker()
    yield worker
    worker.process.kill()
    worker.end()


@pytest.fixture(scope="module")
def loaded(tiny_models: Path) -> Iterator[Worker]:
    """A worker with a model, shared by the tests that do not change it."""
    worker = Worker()
    worker.write(Load("load", str(tiny_models / "llama")))
    worker.until("load")
    yield worker
    worker.process.kill()
    worker.end()


def test_a_model_is_loaded_and_answers(fresh: Worker, tiny_models: Path) -> None:
    """A request sent during the load waits, events come in order, and the end of input ends the process."""
    fresh.write(Load("load", str(tiny_models / "qwen3")), ask("1"))
    load, answer = fresh.until("load"), fresh.until("1")
    assert {type(event) for event in load[:-1]} <= {LoadProgress, Memory}
    assert isinstance(load[-1], Loaded)
    assert load[-1].can_think
    kinds = [type(event) for event in answer]
    assert kinds == sorted(kinds, key=[Prefill, Delta, Memory, Finished].index)
    assert set(kinds) == {Prefill, Delta, Memory, Finished}
    returncode, rest, _ = fresh.end()
    assert (returncode, rest) == (0, b"")


def test_invalid_lines_are_answered(loaded: Worker) -> None:
    """Each one fails with its id if it has one, and the worker continues."""
    loaded.write(
        b"\xff\xfe\n", b"{\n", b'{"type":"generate","id":"x","messages":[],"sampling":{"top_p":7}}\n', ask("1")
    )
    events = loaded.until("1")
    assert [event.id for event in events if isinstance(event, RequestFailed)] == ["", "", "x"]
    assert isinstance(events[-1], Finished)


def test_a_message_of_a_megabyte_is_refused_and_the_next_one_answered(loaded: Worker) -> None:
    """Lines may be long; a prompt that exceeds the context is refused with figures."""
    loaded.write(ask("long", "word " * 200_000), ask("1"))
    refused = loaded.until("long")[-1]
    assert isinstance(refused, RequestFailed)
    assert "the context holds 2,048" in refused.message
    assert isinstance(loaded.until("1")[-1], Finished)


def test_a_waiting_request_is_canceled_at_once(loaded: Worker) -> None:
    """It does not wait for the one before it, which is then canceled during its answer.

    The events of 1,900 tokens do not fit into the pipe: until they are read, the first request cannot finish.
    """
    loaded.write(ask("first", max_tokens=1900))
    while not (isinstance(event := loaded.read(), Delta) and event.id == "first"):
        pass
    loaded.write(ask("second"), Cancel("second"), Cancel("unknown"), Cancel("first"))
    assert loaded.until("second")[-1] == Finished("second", "cancelled")
    end = loaded.until("first")[-1]
    assert isinstance(end, Finished)
    assert end.finish_reason == "cancelled"
    assert end.statistics
    assert end.statistics.generated_tokens < 1900


def test_a_second_load_is_refused(loaded: Worker, tiny_models: Path) -> None:
    """A worker serves one model, and keeps serving it."""
    loaded.write(Load("other", str(tiny_models / "qwen3")), ask("1"))
    assert isinstance(loaded.until("other")[-1], RequestFailed)
    assert isinstance(loaded.until("1")[-1], Finished)


def test_an_interrupt_does_not_end_the_worker(loaded: Worker) -> None:
    """Control-C in a terminal reaches the whole process group; the worker runs until its input closes."""
    loaded.process.send_signal(signal.SIGINT)
    loaded.write(ask("1"))
    assert isinstance(loaded.until("1")[-1], Finished)


def test_a_request_before_the_load_is_refused(fresh: Worker) -> None:
    """No model is loaded yet; the worker waits for its Load."""
    fresh.write(ask("early"))
    refused = fresh.until("early")[-1]
    assert isinstance(refused, RequestFailed)
    assert refused.message.startswith("No model is loaded")


def test_a_failed_load_fails_all_requests_and_ends_the_worker(tmp_path: Path) -> None:
    """Output of other code does not disturb the protocol, and the exit code is 1."""
    worker = Worker([sys.executable, "-c", NOISY_WORKER])
    worker.write(Load("load", str(tmp_path / "nothing")), ask("1"), ask("2"))
    events = worker.until("load", "1", "2")
    assert [type(event) for event in events] == [RequestFailed] * 3
    assert worker.process.wait(timeout=20) == 1
    _, rest, log = worker.end()
    assert not rest
    assert b"noise from Python\nnoise from C\n" in log


def test_a_canceled_load_ends_the_process(fresh: Worker, tiny_models: Path) -> None:
    """At once, even while MLX is being imported; requests that wait for the model fail."""
    fresh.write(Load("load", str(tiny_models / "llama")), ask("1"), Cancel("load"))
    assert fresh.until("load")[-1] == Finished("load", "cancelled")
    assert isinstance(fresh.until("1")[-1], RequestFailed)
    assert fresh.process.wait(timeout=20) == 0


def test_the_end_of_input_ends_the_process_during_an_answer(fresh: Worker, tiny_models: Path) -> None:
    """No worker outlives its parent."""
    fresh.write(Load("load", str(tiny_models / "llama")), ask("1", max_tokens=1900))
    while not isinstance(fresh.read(), Delta):
        pass
    returncode, rest, _ = fresh.end()
    assert returncode == 0
    assert b'"type":"finished"' not in rest


def test_sigterm_ends_the_process(fresh: Worker) -> None:
    """As it ends any process."""
    fresh.process.terminate()
    assert fresh.process.wait(timeout=20) == -signal.SIGTERM


def test_importing_a_library_keeps_the_limit_of_open_files() -> None:
    """Setting the limit has no effect during the import, and works afterwards."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with keep_file_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
