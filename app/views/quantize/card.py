"""One recipe: what it is for, and what exactly it gives of this model on this Mac."""

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_cards import Figures, RecipeCard, kept_in_words
from app.views.kit.buttons import IconButton
from app.views.kit.controls import CheckBox
from app.views.kit.facts import Facts
from app.views.kit.fit_badge import FitBadge
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context, format_disk, format_memory


class Card(QWidget):
    """A click anywhere chooses the recipe; its buttons edit a copy of it, and show what is kept."""

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
        self._kept = Facts(theme, "What stays as it is")
        self._kept.hide()
        self._unfold = IconButton(theme, "info", f"What {card.title} keeps as it is")
        self._edit = IconButton(theme, "edit", f"Edit a copy of {card.title}")
        self._more = IconButton(theme, "chevron-down", f"More about {card.title}")
        self._more.setVisible(card.is_own)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(card.title)
        self._lay_out()
        self._connect()
        self.follow(card, is_chosen=False)

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
        column.addWidget(self._kept)

    def _connect(self) -> None:
        name = self._card.name
        self.mark.clicked.connect(lambda: self.chosen.emit(name, self.mark.isChecked()))
        self._unfold.clicked.connect(self._toggle_kept)
        self._edit.clicked.connect(lambda: self.edit_requested.emit(name))
        self._more.clicked.connect(self._show_menu)
        self._theme.changed.connect(self.update)

    def follow(self, card: RecipeCard, *, is_chosen: bool) -> None:
        """Show the recipe as it is now."""
        self._card = card
        self.mark.setChecked(is_chosen)
        self.mark.setEnabled(not card.problem)
        if card.figures:
            self._show_figures(card.figures)
        else:
            self._badge.show_text("Not for this model", "warning", card.problem)
            self._size.setText("")
            self._rest.setText(card.problem)
        self._unfold.setEnabled(card.figures is not None)
        self.mark.setAccessibleName(f"{card.title}: {self._size.text()}, {self._rest.text()}")
        self.update()

    def _show_figures(self, figures: Figures) -> None:
        found, fit = figures.forecast, figures.fit
        self._badge.show_fit(fit.verdict, fit.in_words)
        self._size.setText(f"{format_disk(found.size_bytes)} of weights · {found.bits_per_weight:.2f} bits per weight")
        self._size.setToolTip(f"{found.size_bytes:,} bytes of weights, everything counted")
        memory = format_memory(fit.estimate.total_bytes)
        self._rest.setText(f"{memory} in memory at {format_context(fit.estimate.context)}")
        self._rest.setToolTip(fit.in_words)
        if not self._kept.isHidden():
            self._kept.show_pairs(self._what_is_kept(figures))

    def _what_is_kept(self, figures: Figures) -> list[tuple[str, str]]:
        return kept_in_words(figures.forecast) or [("Nothing", "every tensor is as the recipe says")]

    def _toggle_kept(self) -> None:
        if self._kept.isHidden() and self._card.figures:
            self._kept.show_pairs(self._what_is_kept(self._card.figures))
        else:
            self._kept.hide()

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
