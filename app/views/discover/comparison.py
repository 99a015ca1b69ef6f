"""Several repositories side by side, with a row for each property."""

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
_EVALUATIONS_LIMIT = 12
_UNKNOWN = "not stated"

Fact = Callable[[Variant], str]

_FACTS: Sequence[tuple[str, Fact]] = (
    ("Owner", lambda variant: variant.repository.partition("/")[0]),
    ("Base model", lambda variant: variant.base_model),
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
    """A table of the compared variants, rebuilt whenever it is shown."""

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
        discover.page_read.connect(self._refresh)
        theme.changed.connect(self._refresh)

    def show_variants(self) -> None:
        """Show the currently compared variants."""
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
        """Return a row for each evaluation stated on the cards, the most common first."""
        names = Counter(
            _evaluation_name(evaluation)
            for variant in self._discover.compared
            for evaluation in self._discover.evaluations(variant)
        )
        return [(name, partial(self._value, name)) for name, _ in names.most_common(_EVALUATIONS_LIMIT)]

    def _value(self, name: str, variant: Variant) -> str:
        evaluations = self._discover.evaluations(variant)
        values = (f"{evaluation.value:.4g}" for evaluation in evaluations if _evaluation_name(evaluation) == name)
        return next(values, _UNKNOWN)

    def _heading(self, name: str) -> TextLabel:
        label = TextLabel(self._theme, name, tone="secondary", wraps=True)
        label.setFixedWidth(self._theme.scaled(100))
        return label

    def _add_column(self, grid: QGridLayout, number: int, variant: Variant, facts: Sequence[tuple[str, Fact]]) -> None:
        fits = self._discover.fit(variant)
        tone: Tone = FIT_TONES[fits.verdict]
        cells = [
            self._cell(variant.repository.rpartition("/")[2], bold=True),
            self._cell(FIT_LABELS[fits.verdict] or _UNKNOWN, tone=tone, tooltip=fits.explanation),
            *(self._cell(fact(variant)) for _, fact in facts),
        ]
        for line, cell in enumerate(cells):
            grid.addWidget(cell, line, number, Qt.AlignmentFlag.AlignTop)
        button = DownloadButton(variant.repository, self._downloads, self._theme, quiet=True)
        grid.addWidget(button, len(cells), number, Qt.AlignmentFlag.AlignLeft)

    def _cell(self, text: str, *, tone: Tone = "text", bold: bool = False, tooltip: str = "") -> TextLabel:
        label = TextLabel(self._theme, text, tone=tone, bold=bold, wraps=True)
        label.setToolTip(plain(tooltip or text))
        label.setFixedWidth(self._theme.scaled(_COLUMN_WIDTH))
        return label

    def _context(self, variant: Variant) -> str:
        length = self._discover.fit(variant).context_length
        return f"{format_context(length)} tokens" if length else _UNKNOWN

    def _refresh(self) -> None:
        if self.isVisible():
            self.show_variants()


def _evaluation_name(evaluation: Evaluation) -> str:
    return f"{evaluation.dataset} · {evaluation.metric}"
