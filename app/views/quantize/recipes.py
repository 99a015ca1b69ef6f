"""Recipe cards in groups, to select one or several."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.recipe_cards import CLOSEST, MICROSCALING, MLX_LM, OTHER_GROUPS, USER_RECIPES, RecipeCard
from app.views.kit.buttons import TextButton
from app.views.kit.grid import CardGrid, VerticalScrollArea
from app.views.kit.notes import Notes
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.quantize.card import RecipeCardView

_CARD_WIDTH = 270
_DESCRIPTIONS = {
    CLOSEST: "For the highest quality, or as a reference to measure against.",
    MICROSCALING: "Small floats with a shared scale. Some models are trained in these formats.",
    MLX_LM: "Byte for byte the same as from mlx-lm's own command.",
    OTHER_GROUPS: "Smaller groups are closer to the original; larger groups save space.",
}


class Recipes(VerticalScrollArea):
    """Rebuilds its cards only if the list of recipes has changed."""

    edit_requested = Signal(str)
    export_requested = Signal(str)
    import_requested = Signal()

    def __init__(self, quantize: Quantize, theme: Theme) -> None:
        super().__init__(theme, "Recipes")
        self._quantize, self._theme = quantize, theme
        self.cards: dict[str, RecipeCardView] = {}
        self._groups: list[QWidget] = []
        self._shows_rare = False
        self.notes = Notes(theme)
        self.column.setSpacing(10)
        self.column.addWidget(self.notes)
        self.column.addStretch(1)
        quantize.cards_changed.connect(self._refresh)
        quantize.plans_changed.connect(self._refresh_selection)
        self._refresh()

    def show_card(self, name: str) -> None:
        """Scroll to a card, after the layout is done."""
        if card := self.cards.get(name):
            QTimer.singleShot(0, card, lambda: self.ensureWidgetVisible(card))
            card.mark.setFocus()

    def _refresh(self) -> None:
        cards = self._quantize.cards
        if [card.name for card in cards] != list(self.cards):
            self._rebuild(cards)
        self._refresh_selection()

    def _refresh_selection(self) -> None:
        for card in self._quantize.cards:
            if view := self.cards.get(card.name):
                view.show_card(card, is_chosen=self._quantize.is_chosen(card.name))

    def _rebuild(self, cards: list[RecipeCard]) -> None:
        for part in self._groups:
            part.hide()
            part.deleteLater()
        self.cards, self._groups = {card.name: self._new_card(card) for card in cards}, []
        for group in dict.fromkeys(
            [card.group for card in cards if card.group != OTHER_GROUPS] + [USER_RECIPES, OTHER_GROUPS]
        ):
            self._add_group(group, [self.cards[card.name] for card in cards if card.group == group])

    def _new_card(self, card: RecipeCard) -> RecipeCardView:
        view = RecipeCardView(card, self._theme)
        view.chosen.connect(lambda name, chosen: self._quantize.choose(name, chosen=chosen))
        view.edit_requested.connect(self.edit_requested)
        view.export_requested.connect(self.export_requested)
        view.duplicate_requested.connect(self._quantize.recipe_store.duplicate)
        view.delete_requested.connect(self._quantize.recipe_store.delete)
        return view

    def _add_group(self, group: str, cards: list[RecipeCardView]) -> None:
        grid = CardGrid(self._theme, _CARD_WIDTH)
        grid.show_cards(cards)
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 8 if self._groups else 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(TextLabel(self._theme, group, bold=True), 0)
        description = TextLabel(self._theme, _DESCRIPTIONS.get(group, ""), role="small", tone="secondary")
        row.addWidget(description, 1, Qt.AlignmentFlag.AlignVCenter)
        if group == USER_RECIPES:
            description.setText("" if cards else "Edit any recipe matrix by matrix and save it here.")
            add = TextButton(self._theme, "Import…")
            add.setAccessibleName("Import recipe")
            add.clicked.connect(self.import_requested)
            row.addWidget(add)
        if group == OTHER_GROUPS:
            show = TextButton(self._theme, "Hide" if self._shows_rare else "Show")
            show.setAccessibleName("Show or hide recipes with other group sizes")
            show.clicked.connect(lambda: self._toggle_rare(grid, show))
            row.addWidget(show)
            grid.setVisible(self._shows_rare)
        for part in (head, grid):
            self._groups.append(part)
            self.column.insertWidget(self.column.count() - 1, part)

    def _toggle_rare(self, grid: CardGrid, button: TextButton) -> None:
        self._shows_rare = not self._shows_rare
        grid.setVisible(self._shows_rare)
        button.setText("Hide" if self._shows_rare else "Show")
