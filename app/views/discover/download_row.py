"""One download: how far it is, and what can be done about it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels import hub_words
from app.viewmodels.download_items import DownloadItem
from app.viewmodels.downloads import Downloads
from app.views.buttons import IconButton
from app.views.discover.controls import FilledButton, SmallButton
from app.views.discover.download_button import DownloadButton
from app.views.discover.words import Words
from app.views.jobs.share_bar import ShareBar
from app.views.theme import Theme


class DownloadRow(QWidget):
    """One download. The arrow on the left shows the files that are being fetched now."""

    sign_in_requested = Signal()
    page_requested = Signal(str)

    def __init__(self, item: DownloadItem, downloads: Downloads, theme: Theme) -> None:
        super().__init__()
        self._item, self._downloads = item, downloads
        self._title = Words(theme, item.repository, bold=True)
        self._line = Words(theme, tone="secondary", role="small", wraps=True)
        self._why = Words(theme, tone="secondary", role="small", wraps=True)
        self._bar = ShareBar(theme)
        self._files = Words(theme, tone="tertiary", role="small", wraps=True)
        self._files.hide()
        self._unfold = IconButton(theme, "chevron-right", "Show files")
        self._toggle = IconButton(theme, "pause", "Pause")
        self._cancel = IconButton(theme, "close", "Cancel")
        self._help = FilledButton(theme, "Sign in…")
        self._retry = SmallButton(theme, "Try again", f"Try again: {item.repository}")
        self._go = DownloadButton(item.repository, downloads, theme, quiet=True)
        self._lay_out()
        self._connect()
        self.follow(item)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(6)
        row.addWidget(self._unfold, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(3)
        for widget in (self._title, self._bar, self._line, self._why, self._files):
            text.addWidget(widget)
        remedies = QHBoxLayout()
        remedies.setContentsMargins(0, 2, 0, 2)
        for remedy in (self._help, self._retry):
            remedies.addWidget(remedy)
        remedies.addStretch(1)
        text.addLayout(remedies)
        row.addLayout(text, 1)
        for button in (self._go, self._toggle, self._cancel):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)

    def _connect(self) -> None:
        self._unfold.clicked.connect(self._toggle_files)
        self._toggle.clicked.connect(self._pause_or_resume)
        self._cancel.clicked.connect(lambda: self._downloads.cancel(self._item.id))
        self._help.clicked.connect(self._get_help)
        self._retry.clicked.connect(lambda: self._downloads.resume(self._item.id))

    def follow(self, item: DownloadItem) -> None:
        """Show the download as it is now."""
        self._item = item
        self._line.setText(item.line)
        self._line.set_tone("danger" if item.kind == "failed" else "secondary")
        self._bar.show_share(item.share, is_live=item.kind == "running")
        self._bar.setVisible(item.kind in ("running", "paused"))
        self._why.setText(item.problem)
        self._why.setVisible(bool(item.problem))
        self._show_files()
        self._show_buttons()

    def _show_files(self) -> None:
        files = self._item.files
        self._unfold.setEnabled(bool(files))
        if not files:
            self._files.hide()
        self._files.setText("\n".join(map(hub_words.file_progress, files)))
        self._name_unfold()

    def _show_buttons(self) -> None:
        kind, remedy = self._item.kind, self._item.remedy
        self._toggle.setVisible(kind in ("running", "queued", "paused"))
        self._toggle.set_icon("play" if kind == "paused" else "pause")
        self._toggle.set_name("Resume" if kind == "paused" else "Pause")
        self._cancel.set_name("Remove from the list" if kind == "done" else "Cancel and discard")
        self._go.setVisible(kind == "done")
        self._retry.setVisible(kind == "failed")
        self._help.setVisible(bool(remedy))
        self._help.setText("Open its page" if remedy == "accept" else "Sign in…")
        self._help.updateGeometry()

    def _pause_or_resume(self) -> None:
        act = self._downloads.resume if self._item.kind == "paused" else self._downloads.pause
        act(self._item.id)

    def _get_help(self) -> None:
        if self._item.remedy == "accept":
            self.page_requested.emit(self._item.repository)
        else:
            self.sign_in_requested.emit()

    def _toggle_files(self) -> None:
        self._files.setVisible(self._files.isHidden())
        self._name_unfold()

    def _name_unfold(self) -> None:
        is_open = not self._files.isHidden()
        self._unfold.set_icon("chevron-down" if is_open else "chevron-right")
        self._unfold.set_name("Hide files" if is_open else "Show files")
