"""The form for a conversion to publish: repository, visibility and card."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.hub.publish import Editing, Publishing
from app.views.kit.chips import Chip
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.fields.text_field import TextField
from app.views.kit.grid import SIDE
from app.views.kit.notes import Notes
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.publish.card_editor import CardEditor

_VISIBILITY = {
    False: "Only you or members of the organization can see it.",
    True: "Anyone can see and download it.",
}

_SIGN_IN_ERRORS = ("NeedsToken", "WrongToken", "ReadOnlyToken")


class PublishForm(QWidget):
    """Shows and edits the draft of `publishing`."""

    sign_in_requested = Signal()

    def __init__(self, publishing: Publishing, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._publishing, self._theme = publishing, theme
        self.repository = TextField(theme, "Repository")
        self.private, self.public = Chip(theme, "Private"), Chip(theme, "Public")
        self._visibility = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._license = TextLabel(theme, wraps=True)
        self.notes = Notes(theme)
        self.card = CardEditor(theme)
        self._status = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.sign_in = SmallButton(theme, "Sign In…")
        self.button = FilledButton(theme, "Review…")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        chips = QHBoxLayout()
        chips.setSpacing(6)
        for part, stretch in ((self.private, 0), (self.public, 0), (self._visibility, 1)):
            chips.addWidget(part, stretch)
        for row, name in enumerate(("Repository", "Visibility", "License")):
            grid.addWidget(TextLabel(self._theme, name, tone="secondary"), row, 0)
        grid.addWidget(self.repository, 0, 1)
        grid.addLayout(chips, 1, 1)
        grid.addWidget(self._license, 2, 1)
        foot = QHBoxLayout()
        foot.addWidget(self._status, 1)
        foot.addWidget(self.sign_in)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 4, SIDE, 10)
        column.setSpacing(10)
        column.addLayout(grid)
        column.addWidget(self.notes)
        column.addWidget(self.card, 1)
        column.addLayout(foot)
        self.card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _connect(self) -> None:
        publishing = self._publishing
        self.repository.editingFinished.connect(lambda: publishing.set_repository(self.repository.text().strip()))
        self.repository.textEdited.connect(lambda _text: self._status.set_tone("secondary"))
        for chip, is_public in ((self.private, False), (self.public, True)):
            chip.clicked.connect(lambda _checked=False, is_public=is_public: self._set_public(is_public=is_public))
        self.card.edited.connect(publishing.set_card)
        self.button.clicked.connect(self._review)
        self.sign_in.clicked.connect(self.sign_in_requested)

    def show_draft(self, draft: Editing) -> None:
        """Show the current draft."""
        with QSignalBlocker(self.repository):
            if self.repository.text().strip() != draft.repository:
                self.repository.setText(draft.repository)
        self._show_visibility(is_public=draft.is_public)
        base = f" (base model: {draft.base_model})" if draft.base_model else ""
        self._license.setText(f"{draft.license or 'unknown'}{base}")
        self.notes.show_sentences(draft.notes)
        self.card.show_card(draft.card, draft.text)
        self._show_foot(draft)

    def _show_visibility(self, *, is_public: bool) -> None:
        self.private.setChecked(not is_public)
        self.public.setChecked(is_public)
        self._visibility.setText(_VISIBILITY[is_public])

    def _show_foot(self, draft: Editing) -> None:
        account = f"Signed in as {draft.account}." if draft.account else "Publishing needs a Hugging Face account."
        checking = "Checking the repository…" if draft.is_checking else ""
        self._status.setText(draft.problem or checking or f"{account} Nothing is sent until you confirm.")
        self._status.set_tone("danger" if draft.problem else "secondary")
        self.sign_in.setVisible(not draft.account or draft.error in _SIGN_IN_ERRORS)
        self.button.setEnabled(not draft.is_checking)

    def _set_public(self, *, is_public: bool) -> None:
        self._publishing.set_public(is_public=is_public)
        self._show_visibility(is_public=is_public)

    def _review(self) -> None:
        self._publishing.set_repository(self.repository.text().strip())
        self._publishing.review()
