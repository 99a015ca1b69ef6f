"""The forecast for the recipe in the editor."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_cards import RecipeForecast
from app.views.kit.fit_badge import FitBadge
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context, format_disk, format_memory


class ForecastPanel(QWidget):
    """Size and bits, their difference from the recipe that was copied, and memory."""

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
        for label in (self.bits, self._change, self._memory):
            column.addWidget(label)

    def show_forecast(self, forecast: RecipeForecast, origin: RecipeForecast, origin_title: str) -> None:
        conversion, fit = forecast.conversion, forecast.memory
        self.amount.setText(f"{format_disk(conversion.size_bytes)} of weights")
        self.amount.setToolTip(f"{conversion.size_bytes:,} bytes of weights, including scales")
        self.bits.setText(f"{conversion.bits_per_weight:.3f} bits per weight (incl. scales)")
        self._change.setText(_change(conversion.size_bytes - origin.conversion.size_bytes, origin_title))
        self._badge.show_fit(fit.verdict, fit.summary)
        memory = format_memory(fit.estimate.total_bytes)
        self._memory.setText(f"{memory} in memory at {format_context(fit.estimate.context)}")
        self._memory.setToolTip(fit.summary)


def _change(difference_bytes: int, origin_title: str) -> str:
    if not difference_bytes:
        return f"Same size as {origin_title}"
    return f"{format_disk(abs(difference_bytes))} {'more' if difference_bytes > 0 else 'less'} than {origin_title}"
