"""Tests of signing in by a real job process, with the test Hub and a test keyring."""

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


def checked_state(qtbot: QtBot, account: AccountViewModel) -> AccountState:
    qtbot.waitUntil(lambda: not isinstance(account.state, CheckingToken), timeout=TIMEOUT_MS)
    return account.state


def test_the_account_is_unknown_at_first(hub: Hub, account: AccountViewModel) -> None:
    assert account.state == Unknown()
    assert hub.requests == []


def test_a_valid_token_is_stored_until_signing_out(account: AccountViewModel, qtbot: QtBot) -> None:
    """A later check finds the same state."""
    account.sign_in(" hf_whale \n")
    assert checked_state(qtbot, account) == SignedIn("ada", "keychain")
    account.refresh()
    assert checked_state(qtbot, account) == SignedIn("ada", "keychain")
    account.sign_out()
    assert checked_state(qtbot, account) == SignedOut()
    account.refresh()
    assert checked_state(qtbot, account) == SignedOut()


def test_an_invalid_token_is_refused_with_a_message(account: AccountViewModel, qtbot: QtBot) -> None:
    """It is not stored, and the message does not contain it."""
    account.sign_in("hf_shark")
    state = checked_state(qtbot, account)
    assert isinstance(state, SignedOut)
    assert state.problem
    assert "hf_shark" not in state.problem
    account.refresh()
    assert checked_state(qtbot, account) == SignedOut()
