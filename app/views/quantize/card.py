"""The card of a recipe: its purpose, and its exact result for this model on this Mac."""

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_cards import RecipeCard, RecipeForecast, unquantized_tensors
from app.views.kit.buttons import IconButton
from app.views.kit.controls import CheckBox
from app.views.kit.facts import Facts
from app.views.kit.fit_badge import FitBadge
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context, format_disk, format_memory


class RecipeCardView(QWidget):
    """A click anywhere selects the recipe; its buttons edit a copy and list the unquantized tensors."""

    chosen = Signal(str, bool)
    edit_requested = Signal(str)
    duplicate_requested = Signal(str)
    export_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, card: RecipeCard, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._card = theme, card
        self.mark = CheckBox(theme, card.title)
        self._badge = FitBadge(theme)
        self._size = TextLabel(theme, bold=True)
        self._rest = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._facts = Facts(theme, "Not quantized")
        self._facts.hide()
        self._unfold = IconButton(theme, "info", f"Tensors that {card.title} does not quantize")
        self._edit = IconButton(theme, "edit", f"Edit a copy of {card.title}")
        self._more = IconButton(theme, "chevron-down", f"More actions for {card.title}")
        self._more.setVisible(card.is_users)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(card.title)
        self._lay_out()
        self._connect()
        self.show_card(card, is_chosen=False)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.mark)
        head.addWidget(TextLabel(self._theme, self._card.title, role="heading"), 1)
        head.addWidget(self._badge)
        foot = QHBoxLayout()
        foot.setSpacing(2)
        foot.addWidget(self._rest, 1)
        for button in (self._unfold, self._edit, self._more):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 8, 6)
        column.setSpacing(0)
        column.addLayout(head)
        column.addSpacing(6)
        column.addWidget(TextLabel(self._theme, self._card.recipe.purpose, role="small", tone="secondary", wraps=True))
        column.addSpacing(6)
        column.addStretch(1)
        column.addWidget(self._size)
        column.addLayout(foot)
        column.addWidget(self._facts)

    def _connect(self) -> None:
        name = self._card.name
        self.mark.clicked.connect(lambda: self.chosen.emit(name, self.mark.isChecked()))
        self._unfold.clicked.connect(self._toggle_unquantized)
        self._edit.clicked.connect(lambda: self.edit_requested.emit(name))
        self._more.clicked.connect(self._show_menu)
        self._theme.changed.connect(self.update)

    def show_card(self, card: RecipeCard, *, is_chosen: bool) -> None:
        """Show the card's current state."""
        self._card = card
        self.mark.setChecked(is_chosen)
        self.mark.setEnabled(not card.problem)
        if card.forecast:
            self._show_forecast(card.forecast)
        else:
            self._badge.show_text("Not for this model", "warning", card.problem)
            self._size.setText("")
            self._rest.setText(card.problem)
        self._unfold.setEnabled(card.forecast is not None)
        self.mark.setAccessibleName(f"{card.title}: {self._size.text()}, {self._rest.text()}")
        self.update()

    def _show_forecast(self, forecast: RecipeForecast) -> None:
        conversion, fit = forecast.conversion, forecast.memory
        self._badge.show_fit(fit.verdict, fit.summary)
        size, bits = format_disk(conversion.size_bytes), f"{conversion.bits_per_weight:.2f} bits per weight"
        self._size.setText(f"{size} of weights · {bits}")
        self._size.setToolTip(f"{conversion.size_bytes:,} bytes of weights, including scales")
        memory = format_memory(fit.estimate.total_bytes)
        self._rest.setText(f"{memory} in memory at {format_context(fit.estimate.context)}")
        self._rest.setToolTip(fit.summary)
        if not self._facts.isHidden():
            self._facts.show_pairs(self._unquantized(forecast))

    def _unquantized(self, forecast: RecipeForecast) -> list[tuple[str, str]]:
        return unquantized_tensors(forecast.conversion) or [("None", "the recipe applies to every tensor")]

    def _toggle_unquantized(self) -> None:
        if self._facts.isHidden() and self._card.forecast:
            self._facts.show_pairs(self._unquantized(self._card.forecast))
        else:
            self._facts.hide()

    def _show_menu(self) -> None:
        menu, name = QMenu(self), self._card.name
        menu.addAction("Duplicate", lambda: self.duplicate_requested.emit(name))
        menu.addAction("Export…", lambda: self.export_requested.emit(name))
        menu.addSeparator()
        menu.addAction("Delete", lambda: self.delete_requested.emit(name))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height() + 4)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.mark.click()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, is_chosen = self._theme.palette, self.mark.isChecked()
        fill = mixed(colours.surface, colours.accent, 0.06) if is_chosen else colours.surface
        rounded(QPainter(self), QRectF(self.rect()), 12, fill, colours.accent if is_chosen else colours.border)
