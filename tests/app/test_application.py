"""A run of the window from its start to its end, in real processes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from app.application import Run
from app.domain.conversation import MessageState
from app.domain.store import Store
from mlx_engine.folders import Folders
from tests.scripted_worker import Script, command

TIMEOUT_S = 60
FORBIDDEN = {"mlx", "mlx_lm", "transformers", "huggingface_hub", "torch", "numpy"}

pytestmark = pytest.mark.process


def environment(folders: Folders, **more: str) -> dict[str, str]:
    return os.environ | {"QT_QPA_PLATFORM": "offscreen", "FACET_HOME": str(folders.data)} | more


def window_child(folders: Folders, until: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.app.window_child", until],
        env=environment(folders),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture
def start(folders: Folders) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start the window as a user does, and end it after the test."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "app"],
                env=environment(folders),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_window_never_loads_mlx(folders: Folders) -> None:
    """After an answer and with the settings open, the process has none of the engine's heavy libraries."""
    child = window_child(folders, "answered")
    assert child.returncode == 0, child.stderr
    loaded = {name.partition(".")[0] for name in json.loads(child.stdout)["modules"]}
    assert loaded & FORBIDDEN == set()


def test_closing_while_an_answer_streams_ends_cleanly(folders: Folders) -> None:
    """The exit code is 0, no process remains, and the partial answer is stored as interrupted."""
    child = window_child(folders, "streaming")
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""
    workers = json.loads(child.stdout)["workers"]
    assert workers
    assert not any(psutil.pid_exists(pid) for pid in workers)
    store = Store(folders.data / "facet.sqlite3")
    (conversation,) = store.conversations()
    question, answer = store.messages(conversation.id)
    store.close()
    assert question.text == "Do whales sing?"
    assert answer.state in (MessageState.INTERRUPTED, MessageState.STOPPED)
    assert answer.text


def test_a_second_start_brings_the_first_to_the_front(
    start: Callable[[], "subprocess.Popen[str]"], folders: Folders
) -> None:
    """The second process reports it and exits with 0; the first keeps running."""
    first = start()
    wait_until((folders.data / "window.lock").exists)
    second = start()
    output, errors = second.communicate(timeout=TIMEOUT_S)
    assert (second.returncode, errors) == (0, "")
    assert output == "Facet is already open. Its window is now in front.\n"
    assert first.poll() is None


def test_a_killed_window_does_not_keep_the_next_one_out(
    start: Callable[[], "subprocess.Popen[str]"], folders: Folders
) -> None:
    """The lock of a dead process does not count."""
    first = start()
    wait_until((folders.data / "window.lock").exists)
    first.send_signal(signal.SIGKILL)
    first.wait()
    child = window_child(folders, "answered")
    assert child.returncode == 0, child.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="macOS always has a display")
def test_without_a_display_the_command_line_is_suggested(folders: Folders) -> None:
    """Qt would abort; Facet suggests an alternative."""
    variables = {
        name: value for name, value in environment(folders).items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    child = subprocess.run(
        [sys.executable, "-m", "app"],
        env=variables | {"QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert child.returncode == 1
    assert child.stderr.startswith("No display is available")
    assert "facet chat" in child.stderr


def test_a_read_only_data_folder_is_reported(tmp_path: Path) -> None:
    """In this test a file takes its place."""
    (tmp_path / "home").write_text("in the way")
    child = subprocess.run(
        [sys.executable, "-m", "app"],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "FACET_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert child.returncode == 1
    assert child.stderr.startswith("Facet can't write to")
    assert "Traceback" not in child.stderr


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(("spoil", "reason"), [(newer, "newer Facet"), (a_folder, "Couldn't open")])
def test_an_unusable_database_is_reported_in_a_dialog(
    qapp: QApplication, folders: Folders, spoil: Callable[[Path], None], reason: str
) -> None:
    """The dialog gives the reason; closing it ends the run with exit code 1."""
    spoil(folders.data / "facet.sqlite3")
    messages: list[str] = []
    run = Run(qapp, folders, command=command(Script()))
    answer_dialogs(messages, QMessageBox.StandardButton.Close)
    assert run.until_closed() == 1
    assert len(messages) == 1
    assert reason in messages[0]


def test_a_retry_opens_the_repaired_database(qapp: QApplication, folders: Folders) -> None:
    """The window opens if the obstacle is gone when the user retries."""
    path = folders.data / "facet.sqlite3"
    path.mkdir()
    run = Run(qapp, folders, command=command(Script()))

    def repair() -> None:
        path.rmdir()
        QTimer.singleShot(100, close_when_open)

    def close_when_open() -> None:
        if run.assembly:
            run.window.close()
        else:
            QTimer.singleShot(100, close_when_open)

    answer_dialogs([], QMessageBox.StandardButton.Retry, before=repair)
    assert run.until_closed() == 0
    assert run.assembly


def answer_dialogs(
    messages: list[str], button: QMessageBox.StandardButton, before: Callable[[], None] = lambda: None
) -> None:
    """Press the button in the next message box, and append its text to `messages`."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            messages.append(box.informativeText())
            before()
            box.button(button).click()
        else:
            QTimer.singleShot(20, press)

    QTimer.singleShot(20, press)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()
