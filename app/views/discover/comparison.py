"""Several repositories side by side: a line for each thing that can be compared."""

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
_UNKNOWN = "not told"

Fact = Callable[[Variant], str]

_FACTS: Sequence[tuple[str, Fact]] = (
    ("Owner", lambda one: one.repository.partition("/")[0]),
    ("Made from", lambda one: one.base_model),
    ("Parameters", lambda one: format_short_count(one.parameters) if one.parameters else _UNKNOWN),
    ("Quantization", lambda one: one.quantization or _UNKNOWN),
    ("Size", lambda one: format_disk(one.size_bytes) if one.size_bytes else _UNKNOWN),
    ("License", lambda one: hub_format.format_license(one.license)),
    ("Access", lambda one: "gated" if one.gated else "open"),
    ("Format", lambda one: "MLX" if one.is_mlx else "to be converted"),
    ("Downloads", lambda one: format_short_count(one.downloads)),
    ("Likes", lambda one: format_short_count(one.likes)),
    ("Changed", lambda one: one.updated or _UNKNOWN),
)


class Comparison(QWidget):
    """The table, made anew each time it is shown."""

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
        """Show what is compared now."""
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
        """Return a line for each result that a card claims, the commonest first."""
        claims = Counter(_claim(one) for variant in self._discover.compared for one in self._claims(variant))
        return [(name, partial(self._value, name)) for name, _ in claims.most_common(_MOST_CLAIMS)]

    def _claims(self, variant: Variant) -> tuple[Evaluation, ...]:
        return self._discover.evaluations(variant)

    def _value(self, name: str, variant: Variant) -> str:
        return next((f"{one.value:.4g}" for one in self._claims(variant) if _claim(one) == name), _UNKNOWN)

    def _heading(self, name: str) -> TextLabel:
        words = TextLabel(self._theme, name, tone="secondary", wraps=True)
        words.setFixedWidth(self._theme.scaled(100))
        return words

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
        words = TextLabel(self._theme, text, tone=tone, bold=bold, wraps=True)
        words.setToolTip(plain(why or text))
        words.setFixedWidth(self._theme.scaled(_COLUMN_WIDTH))
        return words

    def _context(self, variant: Variant) -> str:
        length = self._discover.fit(variant).context_length
        return f"{format_context(length)} tokens" if length else _UNKNOWN

    def _renew(self) -> None:
        if self.isVisible():
            self.show_variants()


def _claim(one: Evaluation) -> str:
    return f"{one.dataset} · {one.metric}"
