"""Tests of publishing with real job processes, the test Hub and the queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.hub.publish import Confirming, DraftFailure, Editing, NoConversion, Publishing
from app.views.kit.theme import Theme
from mlx_engine.models.description.describe import describe
from tests.app.hub_window import HubWindow
from tests.conversions import BASE, write_conversion
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_model

TIMEOUT_MS = 20_000
TOKEN = "hf_writing"  # noqa: S105 - valid only for the test Hub
NAME = "ada/Whale-4bit"

pytestmark = pytest.mark.process


@pytest.fixture
def window(hub: Hub, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubWindow]:
    hub.tokens[TOKEN] = "ada"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    window = HubWindow(tmp_path / "facet", theme)
    yield window
    window.close()


@pytest.fixture
def publishing(window: HubWindow) -> Publishing:
    return window.hub.publishing


def draft(publishing: Publishing, folder: Path, qtbot: QtBot) -> Editing:
    publishing.open(describe(folder, f"maker/{folder.name}"))
    qtbot.waitUntil(lambda: isinstance(publishing.state, Editing), timeout=TIMEOUT_MS)
    return editing(publishing)


def editing(publishing: Publishing) -> Editing:
    assert isinstance(publishing.state, Editing), publishing.state
    return publishing.state


def review(publishing: Publishing, qtbot: QtBot) -> Confirming | Editing:
    publishing.review()
    qtbot.waitUntil(
        lambda: not isinstance(publishing.state, Editing) or not publishing.state.is_checking, timeout=TIMEOUT_MS
    )
    assert isinstance(publishing.state, Confirming | Editing)
    return publishing.state


def test_a_conversion_is_published_after_the_confirmation(
    publishing: Publishing, window: HubWindow, hub: Hub, tmp_path: Path, qtbot: QtBot
) -> None:
    """The draft suggests a name, nothing is sent before the user confirms, and then the upload joins the queue."""
    folder = write_conversion(tmp_path / "Whale-4bit")
    assert draft(publishing, folder, qtbot).repository == NAME
    question = review(publishing, qtbot)
    assert isinstance(question, Confirming)
    assert (question.target.account, question.target.is_public) == ("ada", False)
    assert {seen.method for seen in hub.requests} == {"GET"}
    with qtbot.waitSignal(publishing.started):
        publishing.send()
    assert isinstance(publishing.state, NoConversion)
    qtbot.waitUntil(lambda: [item.kind for item in window.jobs.items] == ["done"], timeout=TIMEOUT_MS)
    (item,) = window.jobs.items
    assert (item.task, item.subject, item.remedy) == ("publication", NAME, "page")
    assert "README.md" in hub.repositories[NAME].commits[hub.repositories[NAME].main]


def test_the_card_follows_the_name(publishing: Publishing, tmp_path: Path, qtbot: QtBot) -> None:
    """The title and the instructions change, but not before the name is complete."""
    before = draft(publishing, write_conversion(tmp_path / "Whale-4bit"), qtbot)
    publishing.set_repository("a")
    assert editing(publishing).card == before.card
    publishing.set_repository("ada/Orca")
    assert "\n# Orca\n" in editing(publishing).card
    assert 'load("ada/Orca")' in editing(publishing).card
    assert NAME not in editing(publishing).card
    assert f"base_model: {BASE}" in editing(publishing).card


def test_changes_to_the_card_are_sent(publishing: Publishing, tmp_path: Path, qtbot: QtBot) -> None:
    """The warning disappears when the license is filled in."""
    before = draft(publishing, write_conversion(tmp_path / "Whale-4bit", license=""), qtbot)
    assert "unknown" in before.notes[0]
    publishing.set_card(before.card.replace("license: unknown", "license: mit"))
    assert editing(publishing).notes == []
    question = review(publishing, qtbot)
    assert isinstance(question, Confirming)
    assert "license: mit" in question.draft.card


def test_a_refusal_is_shown_with_the_draft(publishing: Publishing, hub: Hub, tmp_path: Path, qtbot: QtBot) -> None:
    """It disappears as soon as the draft changes."""
    draft(publishing, write_conversion(tmp_path / "Whale-4bit"), qtbot)
    publishing.set_repository("bob/Whale")
    refused = review(publishing, qtbot)
    assert isinstance(refused, Editing)
    assert refused.error == "ReadOnlyToken"
    assert "signed in as ada" in refused.problem
    publishing.set_repository(NAME)
    assert not editing(publishing).problem


def test_another_model_is_replaced_only_on_request(
    publishing: Publishing, window: HubWindow, hub: Hub, tmp_path: Path, qtbot: QtBot
) -> None:
    hub.add(Repository(NAME, private=True)).commit({"model.safetensors": b"other"})
    hub.accepted.add(("ada", NAME))
    draft(publishing, write_conversion(tmp_path / "Whale-4bit"), qtbot)
    question = review(publishing, qtbot)
    assert isinstance(question, Confirming)
    publishing.send()
    assert not window.jobs.items
    publishing.set_replaces(replaces=True)
    publishing.send()
    assert len(window.jobs.items) == 1


def test_a_repository_of_the_account_is_suggested_after_signing_in(
    publishing: Publishing, window: HubWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert draft(publishing, write_conversion(tmp_path / "Whale-4bit"), qtbot).repository == "you/Whale-4bit"
    window.account.sign_in(TOKEN)
    qtbot.waitUntil(
        lambda: isinstance(publishing.state, Editing) and publishing.state.repository == NAME, timeout=TIMEOUT_MS
    )


def test_a_model_that_facet_did_not_create_cannot_be_published(
    publishing: Publishing, tmp_path: Path, qtbot: QtBot
) -> None:
    publishing.open(describe(write_model(tmp_path / "Whale"), "maker/Whale"))
    qtbot.waitUntil(lambda: isinstance(publishing.state, DraftFailure), timeout=TIMEOUT_MS)
    assert isinstance(publishing.state, DraftFailure)
    assert not publishing.state.can_retry
