"""The Hugging Face account of the user. This process passes tokens on and does not store them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from mlx_engine.engine.values.job_messages import JobReply, JobRequest
from mlx_engine.hub_messages import Account, SignIn, SignOut, TokenSource, WhoAmI
from mlx_engine.protocol import RequestFailed, new_id


@dataclass(frozen=True, slots=True)
class Unknown:
    """The state has not been requested yet."""


@dataclass(frozen=True, slots=True)
class CheckingToken:
    """A process is checking the token."""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """No token is in use. `problem` is a message if a new token was refused."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    name: str
    source: TokenSource


AccountState = Unknown | CheckingToken | SignedOut | SignedIn


class AccountViewModel(QObject):
    """The state of the account. The process that handles the token ends after each reply."""

    changed = Signal()
    signed_in = Signal()  # with a token that the user has just entered

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self.state: AccountState = Unknown()
        self._questions = Questions(logs, self, command=command)

    def refresh(self) -> None:
        """Find the owner of the token in use."""
        self._send(WhoAmI(new_id()))

    def sign_in(self, token: str) -> None:
        """Check a token and, if it is valid, store it in the keychain."""
        self._send(SignIn(new_id(), token.strip()), is_new=True)

    def sign_out(self) -> None:
        """Remove the token from the keychain."""
        self._send(SignOut(new_id()))

    def close(self) -> None:
        self._questions.close()

    def _send(self, request: JobRequest, *, is_new: bool = False) -> None:
        self._set_state(CheckingToken())

        def on_reply(event: JobReply) -> None:
            self._questions.close()
            self._set_state(_state_of(event))
            if is_new and isinstance(event, Account):
                self.signed_in.emit()

        self._questions.ask(request, on_reply, latest_only=True)

    def _set_state(self, state: AccountState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def _state_of(event: JobReply) -> AccountState:
    match event:
        case Account(name=name, source=source) if name:
            return SignedIn(name, source)
        case RequestFailed(message=message):
            return SignedOut(message)
        case _:
            return SignedOut()
