"""Tests of the export dialog."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.views.shell.workbench import Workbench
from mlx_engine.measure.corpus.corpus import read_corpus
from tests.app.views.shell.test_window import action, answered

pytestmark = pytest.mark.process


def _answer_dialog(monkeypatch: pytest.MonkeyPatch, chosen: Path, kind: str) -> list[str]:
    """Answer the file dialog, and return the names it suggests."""
    suggested: list[str] = []

    def ask(_parent: object, _title: str, name: str, _kinds: str) -> tuple[str, str]:
        suggested.append(name)
        return str(chosen), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return suggested


def test_a_chat_is_exported_by_its_title(
    workbench: Workbench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The typed suffix wins over the chosen format; without chats, nothing is exported."""
    assert not action(workbench, "export_chat").isEnabled()
    assert not action(workbench, "export_chats").isEnabled()
    answered(workbench, qtbot, "Do whales/sing?")
    suggested = _answer_dialog(monkeypatch, tmp_path / "whales.md", "JSON lines (*.jsonl)")
    action(workbench, "export_chat").trigger()
    assert suggested == ["Do whalessing.jsonl"]
    assert "Whales sing." in (tmp_path / "whales.md").read_text()
    _answer_dialog(monkeypatch, tmp_path / "all", "JSON lines (*.jsonl)")
    action(workbench, "export_chats").trigger()
    (text,) = read_corpus(tmp_path / "all.jsonl").texts
    assert [message.content for message in text.messages] == ["Do whales/sing?", "Whales sing."]


def test_a_canceled_dialog_writes_nothing(
    workbench: Workbench, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(workbench, qtbot, "Do whales sing?")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    before = set(tmp_path.rglob("*.jsonl"))
    action(workbench, "export_chats").trigger()
    assert set(tmp_path.rglob("*.jsonl")) == before
