"""Who is signed in to the Hub. The token itself passes through here and is kept nowhere in this process."""

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
    """Nobody has asked yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The answer is under way."""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """There is no token. `problem` is a sentence if one was refused just now."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    name: str
    source: TokenSource


AccountState = Unknown | Asking | SignedOut | SignedIn


class AccountViewModel(QObject):
    """`state` says who is signed in. The process that knows the token ends with each answer."""

    changed = Signal()
    signed_in = Signal()  # by a token that the person has just given

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self.state: AccountState = Unknown()
        self._questions = Questions(logs, self, command=command)

    def ask(self) -> None:
        """Find out whose token is in use."""
        self._ask(WhoAmI(new_id()))

    def sign_in(self, token: str) -> None:
        """Try a token; if the Hub knows it, it is kept in the keychain."""
        self._ask(SignIn(new_id(), token.strip()), is_new=True)

    def sign_out(self) -> None:
        """Take the token out of the keychain."""
        self._ask(SignOut(new_id()))

    def close(self) -> None:
        self._questions.close()

    def _ask(self, request: JobRequest, *, is_new: bool = False) -> None:
        self._become(Asking())

        def answered(event: JobReply) -> None:
            self._questions.close()
            self._become(_state_of(event))
            if is_new and isinstance(event, Account):
                self.signed_in.emit()

        self._questions.ask(request, answered, latest_only=True)

    def _become(self, state: AccountState) -> None:
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
