"""Signing in by a real job process, with the test Hub and a keyring of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.hub.account import AccountState, AccountViewModel, CheckingToken, SignedIn, SignedOut, Unknown
from tests.hub.server import Hub

TIMEOUT_MS = 20_000

pytestmark = pytest.mark.process


@pytest.fixture
def account(hub: Hub, tmp_path: Path, qapp: object) -> Iterator[AccountViewModel]:
    hub.tokens["hf_whale"] = "ada"
    model = AccountViewModel(tmp_path / "logs")
    yield model
    model.close()


def answered(qtbot: QtBot, account: AccountViewModel) -> AccountState:
    qtbot.waitUntil(lambda: not isinstance(account.state, CheckingToken), timeout=TIMEOUT_MS)
    return account.state


def test_nobody_is_asked_about_at_first(hub: Hub, account: AccountViewModel) -> None:
    assert account.state == Unknown()
    assert hub.requests == []


def test_a_token_is_tried_kept_and_removed(account: AccountViewModel, qtbot: QtBot) -> None:
    """Signed in by name, still so when asked again, and signed out for good."""
    account.sign_in(" hf_whale \n")
    assert answered(qtbot, account) == SignedIn("ada", "keychain")
    account.refresh()
    assert answered(qtbot, account) == SignedIn("ada", "keychain")
    account.sign_out()
    assert answered(qtbot, account) == SignedOut()
    account.refresh()
    assert answered(qtbot, account) == SignedOut()


def test_a_wrong_token_is_refused_with_a_sentence(account: AccountViewModel, qtbot: QtBot) -> None:
    """It is not kept, and the sentence does not repeat it."""
    account.sign_in("hf_shark")
    state = answered(qtbot, account)
    assert isinstance(state, SignedOut)
    assert state.problem
    assert "hf_shark" not in state.problem
    account.refresh()
    assert answered(qtbot, account) == SignedOut()
