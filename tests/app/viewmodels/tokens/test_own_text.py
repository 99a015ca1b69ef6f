"""A text of one's own goes through a real job process with real, tiny models."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.tokens.states import Broken, Busy, Shown
from app.viewmodels.tokens.view import TokenView
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import Plan
from mlx_engine.measure.study.study import Row, Study
from tests.app.token_texts import GivenLab, result

TIMEOUT_MS = 60_000
TEXT = "The tide comes in twice a day, and takes back what it has left behind. "


def test_a_text_is_measured_and_read_token_by_token(
    qtbot: QtBot, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model held against itself differs nowhere; and what is shown is the text that was given."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    folders, path = Folders.from_environment(), str(tiny_models / "llama")
    plan = Plan(name="own", original="llama", candidates=("llama",))
    rows = (Row(label="llama", path=path, is_original=True), Row(label="copy", path=path, fidelity=(result("copy"),)))
    questions = Questions(folders.logs)
    view = TokenView(GivenLab(Study(plan=plan, rows=rows)), questions, folders)
    view.begin()
    view.measure(TEXT * 4)
    assert isinstance(view.state, Busy)
    qtbot.waitUntil(lambda: not isinstance(view.state, Busy), timeout=TIMEOUT_MS)
    view.close()
    assert isinstance(view.state, Shown)
    passage = view.state.passage
    assert passage.flips == ()
    assert passage.mean_kl < 1e-3
    shown = passage.read.before + "".join(token.text for token in passage.tokens)
    assert shown.strip() in TEXT * 4
    assert all(token.probability == pytest.approx(token.reference_probability, abs=1e-3) for token in passage.tokens)


def test_an_original_that_was_deleted_is_told(
    qtbot: QtBot, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have to read the text first."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    folders, gone = Folders.from_environment(), str(tmp_path / "gone")
    plan = Plan(name="own", original="llama", candidates=("llama",))
    copy = Row(label="copy", path=str(tiny_models / "llama"), fidelity=(result("copy"),))
    questions = Questions(folders.logs)
    view = TokenView(
        GivenLab(Study(plan=plan, rows=(Row(label="llama", path=gone, is_original=True), copy))), questions, folders
    )
    view.begin()
    view.measure(TEXT * 4)
    qtbot.waitUntil(lambda: not isinstance(view.state, Busy), timeout=TIMEOUT_MS)
    view.close()
    assert isinstance(view.state, Broken)
    assert gone in view.state.message
