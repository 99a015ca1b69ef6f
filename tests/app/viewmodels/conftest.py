"""Fixtures of the view-models' tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.app.viewmodels.facet import Facet
from tests.scripted_worker import Script

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture
def start(qapp: object, tmp_path: Path) -> Iterator[Callable[[Script], Facet]]:
    """Start runs of the app, all on the same files; they are closed at the end."""
    runs: list[Facet] = []

    def start(script: Script) -> Facet:
        for earlier in runs:
            earlier.close()
        runs[:] = [Facet(tmp_path, script)]
        return runs[0]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def facet(qtbot: object, start: Callable[[Script], Facet]) -> Facet:
    """A run whose engine answers at once, its library read."""
    return start(Script(answer="Whales sing.")).ready(qtbot)
