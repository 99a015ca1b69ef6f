"""The page of a repository: its properties, its fit on this Mac, its files, and its card."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.discover import DiscoverViewModel
from app.viewmodels.hub.downloads import Downloads
from app.views.discover.download_button import DownloadButton
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.fit_badge import FitBadge
from app.views.kit.grid import CardGrid, VerticalScrollArea
from app.views.kit.painting import rounded
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.card_text import CardText
from app.views.transcript.links import ask_to_open
from mlx_engine.amounts import format_context, format_disk, format_short_count
from mlx_engine.hub_messages import ModelPage

_FRAME_WIDTH = 340
_FILES_LIMIT = 30
_EVALUATIONS_LIMIT = 20


class _Frame(QWidget):
    """A heading and rows of two columns, in a frame."""

    def __init__(self, title: str, rows: Iterable[tuple[str, str]], theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        grid.addWidget(TextLabel(theme, title, bold=True), 0, 0, 1, 2)
        for number, (name, value) in enumerate(rows, 1):
            grid.addWidget(TextLabel(theme, name, tone="secondary"), number, 0)
            right = TextLabel(theme, value)
            right.setToolTip(plain(value))
            right.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(right, number, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 12, colors.surface, colors.border)


class ModelPanel(VerticalScrollArea):
    """The page of the repository that was opened last."""

    closed = Signal()
    quantize_requested = Signal(str)  # the id of a model in the library
    download_requested = Signal(str)  # a repository, to be quantized while it is downloaded

    def __init__(self, discover: DiscoverViewModel, downloads: Downloads, theme: Theme) -> None:
        super().__init__(theme, "Model page")
        self._discover, self._downloads, self._theme = discover, downloads, theme
        self.column.setSpacing(12)
        self._parts: list[QWidget] = []
        self._card = CardText(theme)
        self.column.addWidget(self._card)
        self.column.addStretch(1)

    def show_page(self, page: ModelPage) -> None:
        """Show a page, scrolled to the top."""
        for part in self._parts:
            part.hide()
            part.deleteLater()
        self._parts = [self._heading(page), self._verdict(page), self._frames(page)]
        for index, part in enumerate(self._parts):
            self.column.insertWidget(index, part)
        self._card.show_card(page.card or "*This repository has no card.*")
        self.verticalScrollBar().setValue(0)

    def _heading(self, page: ModelPage) -> QWidget:
        theme, repository = self._theme, page.variant.repository
        heading = QWidget()
        back = IconButton(theme, "chevron-left", "Back")
        back.clicked.connect(self.closed)
        website = SmallButton(theme, "Open on the Hub…")
        website.clicked.connect(lambda: ask_to_open(self, hub_format.page_url(repository)))
        title = QVBoxLayout()
        title.setSpacing(2)
        owner, _, name = repository.partition("/")
        title.addWidget(TextLabel(theme, name, role="heading"))
        title.addWidget(TextLabel(theme, owner, role="small", tone="secondary"))
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(back)
        row.addLayout(title, 1)
        row.addWidget(website)
        if model := self._downloads.model_of(repository):
            quantize = SmallButton(theme, "Quantize…")
            quantize.clicked.connect(lambda: self.quantize_requested.emit(model))
            row.addWidget(quantize)
        elif page.needed_bytes:
            both = SmallButton(theme, "Download and Quantize…")
            both.clicked.connect(lambda: self.download_requested.emit(repository))
            row.addWidget(both)
        row.addWidget(DownloadButton(repository, self._downloads, theme))
        return heading

    def _frames(self, page: ModelPage) -> QWidget:
        frames = [_Frame("About", self._rows(page), self._theme)]
        if page.evaluations:
            rows = [(f"{item.dataset} · {item.metric}", f"{item.value:.4g}") for item in page.evaluations]
            frames.append(_Frame("Evaluations stated on the card", rows[:_EVALUATIONS_LIMIT], self._theme))
        frames.append(_Frame(f"Files ({len(page.files)})", _files(page), self._theme))
        grid = CardGrid(self._theme, _FRAME_WIDTH)
        grid.show_cards(frames)
        return grid

    def _verdict(self, page: ModelPage) -> QWidget:
        theme, variant = self._theme, page.variant
        fits = self._discover.fit(variant)
        facts = QWidget()
        column = QVBoxLayout(facts)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        verdict = QHBoxLayout()
        verdict.setSpacing(10)
        badge = FitBadge(theme)
        badge.show_fit(fits.verdict, fits.explanation)
        verdict.addWidget(badge)
        verdict.addWidget(TextLabel(theme, fits.explanation, tone="secondary", wraps=True), 1)
        column.addLayout(verdict)
        if variant.gated:
            column.addWidget(
                TextLabel(
                    theme,
                    "Gated: sign in and accept the terms on the Hub before you download this model.",
                    tone="warning",
                    wraps=True,
                )
            )
        return facts

    def _rows(self, page: ModelPage) -> list[tuple[str, str]]:
        variant, length = page.variant, self._discover.fit(page.variant).context_length
        rows = [
            ("Base model", variant.base_model if variant.base_model != variant.repository else ""),
            ("Parameters", format_short_count(variant.parameters) if variant.parameters else ""),
            ("Weights", " · ".join(filter(None, (variant.quantization, _size(variant.size_bytes))))),
            ("Download", _size(page.needed_bytes) or "not supported by Facet"),
            ("Context", f"{format_context(length)} tokens" if length else ""),
            ("License", hub_format.format_license(variant.license)),
            ("Downloads last month", f"{variant.downloads:,}"),
            ("Likes", f"{variant.likes:,}"),
            ("Updated", variant.updated),
            ("Commit", page.commit[:12]),
        ]
        return [row for row in rows if row[1]]


def _files(page: ModelPage) -> list[tuple[str, str]]:
    files = sorted(page.files, key=lambda file: -file.size_bytes)
    rows = [(file.name, format_disk(file.size_bytes)) for file in files[:_FILES_LIMIT]]
    return [*rows, ("…", f"{len(files) - _FILES_LIMIT} more")] if len(files) > _FILES_LIMIT else rows


def _size(size_bytes: int) -> str:
    return format_disk(size_bytes) if size_bytes > 0 else ""
