"""The dialog for the Hub account: the signed-in user, and the field for an access token."""

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.account import AccountState, AccountViewModel, Asking, SignedIn, SignedOut
from app.views.kit.buttons import TextButton
from app.views.kit.controls import FilledButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.links import ask_to_open

_EXPLANATION = (
    "Some models are only for people who have accepted their makers' conditions. An access token shows the Hub who "
    "you are. Facet tries it, then keeps it in the Keychain and nowhere else."
)
_SOURCES = {
    "keychain": "The access token is in the Keychain.",
    "environment": "The access token comes from HF_TOKEN; Facet does not keep it.",
    "huggingface": "The access token is the one of “hf auth login”; Facet does not keep it.",
    "": "",
}


class SignInDialog(QDialog):
    """Asks who is signed in when it is opened."""

    def __init__(self, account: AccountViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._account, self._theme = account, theme
        self.setWindowTitle("Hugging Face Account")
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._line = TextLabel(theme, tone="secondary", wraps=True)
        self._problem = TextLabel(theme, tone="danger", wraps=True)
        self._token = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="hf_…")
        self._token.setAccessibleName("Access token")
        self._where = TextButton(theme, "Where do I get one?")
        self._sign_in = FilledButton(theme, "Sign In")
        self._sign_out = TextButton(theme, "Remove the token")
        self._close = TextButton(theme, "Close")
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._where)
        buttons.addWidget(self._sign_out)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        buttons.addWidget(self._sign_in)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        for widget in (self._title, self._line, self._token, self._problem):
            column.addWidget(widget)
        column.addStretch(1)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self._token.textChanged.connect(self._refresh)
        self._token.returnPressed.connect(self._try)
        self._sign_in.clicked.connect(self._try)
        self._sign_out.clicked.connect(self._account.sign_out)
        self._close.clicked.connect(self.reject)
        self._where.clicked.connect(lambda: ask_to_open(self, hub_format.page_url("settings/tokens")))
        self._account.changed.connect(self._refresh)
        self._account.signed_in.connect(self._token.clear)

    def ask(self) -> None:
        """Open, and find out who is signed in."""
        self.open()
        self._account.ask()
        self._token.setFocus()

    def _try(self) -> None:
        if self._token.text().strip():
            self._account.sign_in(self._token.text())

    def _refresh(self) -> None:
        state = self._account.state
        is_in = isinstance(state, SignedIn)
        self._title.setText(_title(state))
        self._line.setText(_SOURCES[state.source] if isinstance(state, SignedIn) else _EXPLANATION)
        problem = state.problem if isinstance(state, SignedOut) else ""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        for widget in (self._token, self._sign_in, self._where):
            widget.setVisible(not is_in)
        self._sign_out.setVisible(isinstance(state, SignedIn) and state.source == "keychain")
        self._token.setEnabled(not isinstance(state, Asking))
        self._sign_in.setEnabled(bool(self._token.text().strip()) and not isinstance(state, Asking))
        if self._token.isEnabled() and not is_in:
            self._token.setFocus()
        self._fit()

    def _fit(self) -> None:
        width = self._theme.scaled(460)
        self._column.activate()
        self.setFixedSize(width, self._column.totalHeightForWidth(width))

    def done(self, result: int) -> None:
        """Leave no token in the field when the dialog closes."""
        self._token.clear()
        super().done(result)


def _title(state: AccountState) -> str:
    match state:
        case SignedIn(name):
            return f"Signed in as {name}"
        case Asking():
            return "Asking the Hub…"
        case _:
            return "Sign in to the Hugging Face Hub"
