"""Mark `process` for tests that start child processes: `pytest -m "not process"` is quick and starts none.

A test, its module or one of the fixtures below has the mark. A test without it fails if it starts Python or forks; the
small programs of the system that report facts about the Mac are allowed.
"""

import sys
from collections.abc import Generator

import pytest

FIXTURES = frozenset(
    {
        "originals",
        "resident_job",
        "small_disk",
        "start_job_process",
        "starter_model",
        "tiny_disk",
        "tiny_models",
    }
)
"""Fixtures that start a process, or are built by one."""

_unmarked: list[pytest.Item] = []
"""The current test, unless it may start processes."""


def pytest_configure() -> None:
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _unmarked and (event == "os.fork" or (event == "subprocess.Popen" and "python" in str(arguments[0]).lower())):
        raise AssertionError(f"{_unmarked[0].nodeid} starts a process: give it the mark `process`.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("process")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _unmarked[:] = [] if item.get_closest_marker("process") else [item]
    try:
        return (yield)
    finally:
        _unmarked.clear()
