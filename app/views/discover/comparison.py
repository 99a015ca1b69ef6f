"""A side-by-side comparison of repositories, with one row per property."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.discover import DiscoverViewModel
from app.viewmodels.hub.downloads import Downloads
from app.views.discover.download_button import DownloadButton
from app.views.kit.buttons import IconButton
from app.views.kit.fit_badge import FIT_LABELS, FIT_TONES
from app.views.kit.grid import SIDE
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel, Tone
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context, format_disk, format_short_count
from mlx_engine.hub_messages import Evaluation, Variant

_COLUMN_WIDTH = 190
_MOST_CLAIMS = 12
_UNKNOWN = "not stated"

Fact = Callable[[Variant], str]

_FACTS: Sequence[tuple[str, Fact]] = (
    ("Owner", lambda variant: variant.repository.partition("/")[0]),
    ("Based on", lambda variant: variant.base_model),
    ("Parameters", lambda variant: format_short_count(variant.parameters) if variant.parameters else _UNKNOWN),
    ("Quantization", lambda variant: variant.quantization or _UNKNOWN),
    ("Size", lambda variant: format_disk(variant.size_bytes) if variant.size_bytes else _UNKNOWN),
    ("License", lambda variant: hub_format.format_license(variant.license)),
    ("Access", lambda variant: "gated" if variant.gated else "open"),
    ("Format", lambda variant: "MLX" if variant.is_mlx else "needs conversion"),
    ("Downloads", lambda variant: format_short_count(variant.downloads)),
    ("Likes", lambda variant: format_short_count(variant.likes)),
    ("Updated", lambda variant: variant.updated or _UNKNOWN),
)


class Comparison(QWidget):
    """The comparison table, rebuilt each time it is shown."""

    closed = Signal()

    def __init__(self, discover: DiscoverViewModel, downloads: Downloads, theme: Theme) -> None:
        super().__init__()
        self._discover, self._downloads, self._theme = discover, downloads, theme
        back = IconButton(theme, "chevron-left", "Back to the results")
        back.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.setContentsMargins(SIDE, 12, SIDE, 8)
        row.addWidget(back)
        row.addWidget(TextLabel(theme, "Comparison", role="heading"), 1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAccessibleName("Comparison")
        theme.thin_scroll_bars(self._scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._scroll, 1)
        discover.page_read.connect(self._renew)
        theme.changed.connect(self._renew)

    def show_variants(self) -> None:
        """Show the repositories in the comparison."""
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(SIDE, 4, SIDE, SIDE)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(9)
        facts = (*_FACTS, ("Context", self._context), *self._evaluations())
        for line, (name, _) in enumerate(facts, 2):
            grid.addWidget(self._heading(name), line, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._heading("This Mac"), 1, 0)
        for number, variant in enumerate(self._discover.compared, 1):
            self._add_column(grid, number, variant, facts)
        grid.setColumnStretch(len(self._discover.compared) + 1, 1)
        grid.setRowStretch(len(facts) + 3, 1)
        table.setAutoFillBackground(False)
        self._scroll.setWidget(table)
        self._scroll.viewport().setAutoFillBackground(False)
        table.setAutoFillBackground(False)

    def _evaluations(self) -> list[tuple[str, Fact]]:
        """Return a row for each result that a card claims, the most common first."""
        claims = Counter(_claim(claim) for variant in self._discover.compared for claim in self._claims(variant))
        return [(name, partial(self._value, name)) for name, _ in claims.most_common(_MOST_CLAIMS)]

    def _claims(self, variant: Variant) -> tuple[Evaluation, ...]:
        return self._discover.evaluations(variant)

    def _value(self, name: str, variant: Variant) -> str:
        return next((f"{claim.value:.4g}" for claim in self._claims(variant) if _claim(claim) == name), _UNKNOWN)

    def _heading(self, name: str) -> TextLabel:
        label = TextLabel(self._theme, name, tone="secondary", wraps=True)
        label.setFixedWidth(self._theme.scaled(100))
        return label

    def _add_column(self, grid: QGridLayout, number: int, variant: Variant, facts: Sequence[tuple[str, Fact]]) -> None:
        fits = self._discover.fit(variant)
        tone: Tone = FIT_TONES[fits.verdict]
        cells = [
            self._cell(variant.repository.rpartition("/")[2], bold=True),
            self._cell(FIT_LABELS[fits.verdict] or _UNKNOWN, tone=tone, why=fits.explanation),
            *(self._cell(fact(variant)) for _, fact in facts),
        ]
        for line, cell in enumerate(cells):
            grid.addWidget(cell, line, number, Qt.AlignmentFlag.AlignTop)
        button = DownloadButton(variant.repository, self._downloads, self._theme, quiet=True)
        grid.addWidget(button, len(cells), number, Qt.AlignmentFlag.AlignLeft)

    def _cell(self, text: str, *, tone: Tone = "text", bold: bool = False, why: str = "") -> TextLabel:
        label = TextLabel(self._theme, text, tone=tone, bold=bold, wraps=True)
        label.setToolTip(plain(why or text))
        label.setFixedWidth(self._theme.scaled(_COLUMN_WIDTH))
        return label

    def _context(self, variant: Variant) -> str:
        length = self._discover.fit(variant).context_length
        return f"{format_context(length)} tokens" if length else _UNKNOWN

    def _renew(self) -> None:
        if self.isVisible():
            self.show_variants()


def _claim(evaluation: Evaluation) -> str:
    return f"{evaluation.dataset} · {evaluation.metric}"
