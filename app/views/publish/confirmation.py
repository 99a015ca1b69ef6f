"""The confirmation before an upload: account, repository, visibility, and all files."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.hub.publish import Confirming, Publishing
from app.views.kit.chips import Chip
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.facts import Facts
from app.views.kit.grid import SIDE, VerticalScrollArea
from app.views.kit.notes import Notes
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count, format_disk

_WIDTH = 560
_CONTENTS_NOTES = {
    "nothing": "",
    "this model": "This repository already exists and will be updated.",
    "another model": "This repository contains another model, whose weights will be replaced.",
}


class Confirmation(QWidget):
    """Asks the user to confirm the upload."""

    def __init__(self, publishing: Publishing, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._publishing, self._theme = publishing, theme
        self._title = TextLabel(theme, "Publish on the Hugging Face Hub?", role="heading", wraps=True)
        self._facts = Facts(theme)
        self._notes = Notes(theme)
        self._files = Facts(theme, "Files", on_right=True)
        self.replace = Chip(theme, "Replace other model")
        self.back = SmallButton(theme, "Back")
        self.button = FilledButton(theme, "Publish")
        self._lay_out()
        self.back.clicked.connect(publishing.go_back)
        self.button.clicked.connect(publishing.send)
        self.replace.toggled.connect(lambda replaces: publishing.set_replaces(replaces=replaces))

    def _lay_out(self) -> None:
        self._content = QWidget()
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(14)
        for part in (self._title, self._facts, self._notes, self._files):
            content.addWidget(part)
        scroll = VerticalScrollArea(self._theme, "Upload")
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self._content, 1000)
        middle.addStretch(1)
        scroll.column.addLayout(middle)
        scroll.column.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(self.replace)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 10)
        column.addWidget(scroll, 1)
        foot.setContentsMargins(SIDE, 0, SIDE, 0)
        column.addLayout(foot)
        self._theme.changed.connect(self._fit_width)
        self._fit_width()

    def show_state(self, state: Confirming) -> None:
        target, draft = state.target, state.draft
        visibility = "Public: anyone can see it" if target.is_public else "Private"
        size = f"{format_count(len(target.files), 'file')}, {format_disk(target.total_bytes)}"
        self._facts.show_pairs(
            [
                ("Account", target.account),
                ("Repository", f"{target.repository}{'' if target.exists else ' (new)'}"),
                ("Visibility", visibility),
                ("License", draft.license or "unknown"),
                ("Upload", f"{size}. Files already on the Hub are not sent again."),
            ]
        )
        sentences = (_CONTENTS_NOTES[target.contents], *draft.notes)
        self._notes.show_sentences([sentence for sentence in sentences if sentence])
        self._files.show_pairs([(file.name, format_disk(file.size_bytes)) for file in target.files])
        self.replace.setVisible(target.contents == "another model")
        with QSignalBlocker(self.replace):
            self.replace.setChecked(state.replaces)
        self.button.setText("Update" if target.contents == "this model" else "Publish")
        self.button.updateGeometry()
        self.button.setEnabled(state.can_send)

    def _fit_width(self) -> None:
        self._content.setMaximumWidth(self._theme.scaled(_WIDTH))
