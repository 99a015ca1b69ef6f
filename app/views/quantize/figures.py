"""What the recipe that is being edited gives, as it stands."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_cards import Figures
from app.views.kit.fit_badge import FitBadge
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context, format_disk, format_memory


class LiveFigures(QWidget):
    """Size and bits, how they differ from those of the recipe that was begun with, and memory."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.amount = TextLabel(theme, role="heading")
        self.bits = TextLabel(theme)
        self._change = TextLabel(theme, role="small", tone="secondary")
        self._memory = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._badge = FitBadge(theme)
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.amount, 1)
        first.addWidget(self._badge)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(first)
        for words in (self.bits, self._change, self._memory):
            column.addWidget(words)

    def show_figures(self, figures: Figures, origin: Figures) -> None:
        found, fit = figures.forecast, figures.fit
        self.amount.setText(f"{format_disk(found.size_bytes)} of weights")
        self.amount.setToolTip(f"{found.size_bytes:,} bytes of weights, everything counted")
        self.bits.setText(f"{found.bits_per_weight:.3f} bits per weight")
        self._change.setText(_change(found.size_bytes - origin.forecast.size_bytes))
        need = format_memory(fit.estimate.total_bytes)
        self._memory.setText(f"{need} in memory at {format_context(fit.estimate.context)}")
        self._memory.setToolTip(fit.in_words)
        self._badge.show_fit(fit.verdict, fit.in_words)


def _change(size_bytes: int) -> str:
    if not size_bytes:
        return "as large as the recipe it began with"
    return f"{format_disk(abs(size_bytes))} {'more' if size_bytes > 0 else 'less'} than the recipe it began with"
