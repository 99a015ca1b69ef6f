import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import qInstallMessageHandler, qWarning
from pytestqt.qtbot import QtBot

from app.environment import SingleInstance, catch_errors, start_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log in its own folder; the previous hooks are restored."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    root.handlers.clear()
    start_log(tmp_path)
    yield tmp_path / "window.log"
    for handler in root.handlers:
        handler.close()
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    qInstallMessageHandler(None)


def test_warnings_of_qt_are_in_the_log(log: Path) -> None:
    qWarning("something about a widget")
    assert "something about a widget" in log.read_text()


def test_an_uncaught_error_is_logged_and_shown(log: Path) -> None:
    """The log has the traceback, the user a sentence."""
    errors: list[tuple[str, str, str]] = []
    catch_errors(lambda *error: errors.append(error))
    try:
        {}["no such whale"]
    except KeyError:
        sys.excepthook(*sys.exc_info())
    assert "test_an_uncaught_error" in log.read_text()
    assert errors == [
        ("Something went wrong", "Facet is still running. See the log for details.", "KeyError: 'no such whale'")
    ]


def test_a_large_log_is_rotated(tmp_path: Path) -> None:
    """One older log is kept, so that the folder stays small."""
    for name in ("window.log", "window.old.log"):
        (tmp_path / name).write_text(name * 200_000)
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers.clear()
    start_log(tmp_path)
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    qInstallMessageHandler(None)
    assert (tmp_path / "window.log").stat().st_size == 0
    assert (tmp_path / "window.old.log").read_text().startswith("window.logwindow.log")


def test_only_one_instance_is_first_and_the_others_raise_it(qtbot: QtBot, tmp_path: Path) -> None:
    """The second reaches the first; after the first ends, the next one is first."""
    first, second = SingleInstance(tmp_path), SingleInstance(tmp_path)
    assert (first.is_first, second.is_first) == (True, False)
    first.listen()
    with qtbot.waitSignal(first.raised):
        assert second.raise_first()
    first.release()
    assert SingleInstance(tmp_path).is_first


def test_instances_on_other_data_do_not_meet(qapp: object, tmp_path: Path) -> None:
    """Two windows on different data may be open together."""
    assert SingleInstance(tmp_path / "one").is_first
    assert SingleInstance(tmp_path / "two").is_first
