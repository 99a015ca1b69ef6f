"""The dialog for signing in to the Hub with an access token, and for signing out."""

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.account import AccountState, AccountViewModel, CheckingToken, SignedIn, SignedOut
from app.views.kit.buttons import TextButton
from app.views.kit.controls import FilledButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.links import ask_to_open

_EXPLANATION = (
    "Some models require you to accept their terms on the Hub. An access token identifies you. Facet checks it and "
    "stores it only in your Keychain."
)
_SOURCES = {
    "keychain": "Your access token is stored in the Keychain.",
    "environment": "Your access token comes from HF_TOKEN. Facet doesn't store it.",
    "huggingface": "Your access token comes from “hf auth login”. Facet doesn't store it.",
    "": "",
}


class SignInDialog(QDialog):
    """Checks the account whenever it is opened."""

    def __init__(self, account: AccountViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._account, self._theme = account, theme
        self.setWindowTitle("Hugging Face Account")
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._explanation = TextLabel(theme, tone="secondary", wraps=True)
        self._problem = TextLabel(theme, tone="danger", wraps=True)
        self._token = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="hf_…")
        self._token.setAccessibleName("Access token")
        self._tokens_page = TextButton(theme, "Get a token…")
        self._sign_in = FilledButton(theme, "Sign in")
        self._sign_out = TextButton(theme, "Sign out")
        self._close = TextButton(theme, "Close")
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._tokens_page)
        buttons.addWidget(self._sign_out)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        buttons.addWidget(self._sign_in)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(10)
        for widget in (self._title, self._explanation, self._token, self._problem):
            column.addWidget(widget)
        column.addStretch(1)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self._token.textChanged.connect(self._refresh)
        self._token.returnPressed.connect(self._submit)
        self._sign_in.clicked.connect(self._submit)
        self._sign_out.clicked.connect(self._account.sign_out)
        self._close.clicked.connect(self.reject)
        self._tokens_page.clicked.connect(lambda: ask_to_open(self, hub_format.page_url("settings/tokens")))
        self._account.changed.connect(self._refresh)
        self._account.signed_in.connect(self._token.clear)

    def show_account(self) -> None:
        """Open the dialog and check the account."""
        self.open()
        self._account.refresh()
        self._token.setFocus()

    def _submit(self) -> None:
        if self._token.text().strip():
            self._account.sign_in(self._token.text())

    def _refresh(self) -> None:
        state = self._account.state
        is_signed_in, is_checking = isinstance(state, SignedIn), isinstance(state, CheckingToken)
        self._title.setText(_title(state))
        self._explanation.setText(_SOURCES[state.source] if isinstance(state, SignedIn) else _EXPLANATION)
        problem = state.problem if isinstance(state, SignedOut) else ""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        for widget in (self._token, self._sign_in, self._tokens_page):
            widget.setVisible(not is_signed_in)
        self._sign_out.setVisible(isinstance(state, SignedIn) and state.source == "keychain")
        self._token.setEnabled(not is_checking)
        self._sign_in.setEnabled(bool(self._token.text().strip()) and not is_checking)
        if self._token.isEnabled() and not is_signed_in:
            self._token.setFocus()
        self._fit_height()

    def _fit_height(self) -> None:
        width = self._theme.scaled(460)
        self._column.activate()
        self.setFixedSize(width, self._column.totalHeightForWidth(width))

    def done(self, result: int) -> None:
        """Clear the token when the dialog closes."""
        self._token.clear()
        super().done(result)


def _title(state: AccountState) -> str:
    match state:
        case SignedIn(name):
            return f"Signed in as {name}"
        case CheckingToken():
            return "Checking your account…"
        case _:
            return "Sign in to the Hugging Face Hub"
