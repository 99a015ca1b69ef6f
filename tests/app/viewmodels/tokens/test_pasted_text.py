"""Tests of a user's text in a real job process, with tiny models."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.tokens.states import ReadingText, TextFailed, TextShown
from app.viewmodels.tokens.view import TokenViewModel
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from tests.app.token_texts import FakeLab, result

TIMEOUT_MS = 60_000
TEXT = "The tide comes in twice a day, and takes back what it has left behind. "


def test_a_text_is_measured_and_read_token_by_token(
    qtbot: QtBot, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model compared with itself has no flips, and the passage has the given text."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    folders, path = Folders.from_environment(), str(tiny_models / "llama")
    plan = StudyPlan(name="own", original="llama", candidates=("llama",))
    rows = (Row(label="llama", path=path, is_original=True), Row(label="copy", path=path, fidelity=(result("copy"),)))
    questions = Questions(folders.logs)
    view = TokenViewModel(FakeLab(Study(plan=plan, rows=rows)), questions, folders)
    view.start()
    view.measure(TEXT * 4)
    assert isinstance(view.state, ReadingText)
    qtbot.waitUntil(lambda: not isinstance(view.state, ReadingText), timeout=TIMEOUT_MS)
    view.close()
    assert isinstance(view.state, TextShown)
    passage = view.state.passage
    assert passage.flips == ()
    assert passage.mean_kl < 1e-3
    text = passage.read.before + "".join(token.text for token in passage.tokens)
    assert text.strip() in TEXT * 4
    assert all(token.probability == pytest.approx(token.reference_probability, abs=1e-3) for token in passage.tokens)


def test_a_deleted_original_is_an_error(
    qtbot: QtBot, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original has to read the text first."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    folders, gone = Folders.from_environment(), str(tmp_path / "gone")
    plan = StudyPlan(name="own", original="llama", candidates=("llama",))
    copy = Row(label="copy", path=str(tiny_models / "llama"), fidelity=(result("copy"),))
    questions = Questions(folders.logs)
    view = TokenViewModel(
        FakeLab(Study(plan=plan, rows=(Row(label="llama", path=gone, is_original=True), copy))), questions, folders
    )
    view.start()
    view.measure(TEXT * 4)
    qtbot.waitUntil(lambda: not isinstance(view.state, ReadingText), timeout=TIMEOUT_MS)
    view.close()
    assert isinstance(view.state, TextFailed)
    assert gone in view.state.message
