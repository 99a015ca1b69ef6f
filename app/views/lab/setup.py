"""Where a study is put together."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.lab_draft import LabDraft
from app.viewmodels.model_library import detail
from app.viewmodels.recipe_cards import RecipeCard
from app.views.buttons import IconButton, LinkButton
from app.views.chips import MenuChip
from app.views.discover.grid import SIDE, CardGrid, Scroll
from app.views.discover.words import Words
from app.views.lab.corpus_choice import CorpusChoice
from app.views.lab.tick_row import TickRow
from app.views.lab.tray import Tray
from app.views.theme import Theme
from mlx_engine.quantize.forecast import Forecast

_FEW = 6
"""Recipes that are shown at once."""
_ROW_WIDTH = 330


class _Originals(MenuChip):
    """The model that others are held against."""

    def __init__(self, draft: LabDraft, theme: Theme) -> None:
        super().__init__(theme, "Choose a model")
        self._draft = draft

    def menu(self) -> QMenu:
        menu, group = QMenu(self), QActionGroup(self)
        for model in self._draft.originals():
            action = QAction(f"{model.id}   {detail(model)}".replace("&", "&&"), menu, checkable=True)
            action.setChecked(model == self._draft.original)
            action.triggered.connect(lambda _checked=False, model=model: self._draft.choose_original(model))
            group.addAction(action)
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


class Setup(QWidget):
    """`left` is told when the draft is given up, `started` when it is to begin."""

    left = Signal()
    started = Signal()

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.originals = _Originals(draft, theme)
        self._facts = Words(theme, role="small", tone="secondary", wraps=True)
        self.name = QLineEdit(maxLength=80)
        self.name.setAccessibleName("Name of the study")
        self.back = IconButton(theme, "chevron-left", "Back")
        self.rows: dict[str, TickRow] = {}
        self._models, self._recipes = CardGrid(theme, _ROW_WIDTH), CardGrid(theme, _ROW_WIDTH)
        self._no_models = Words(theme, role="small", tone="secondary", wraps=True)
        self._no_recipes = Words(theme, role="small", tone="secondary", wraps=True)
        self._more = LinkButton(theme, "All recipes")
        self._shows_all = False
        self._ticked: set[str] = set()
        self.corpus = CorpusChoice(draft, theme)
        self.tray = Tray(draft, theme)
        self.choices = Scroll(theme, "New study")
        self._lay_out()
        self._connect()
        self._rebuild()

    def _lay_out(self) -> None:
        theme, column = self._theme, self.choices.column
        column.setSpacing(8)
        self._section("Original", "What all others are held against.")
        column.addWidget(self.originals, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._facts)
        self._section("On this computer", "Conversions of the same network.")
        column.addWidget(self._models)
        column.addWidget(self._no_models)
        self._section("To be made", "Recipes by which the original is converted first.")
        column.addWidget(self._recipes)
        column.addWidget(self._no_recipes)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._section("Measured on", "")
        column.addWidget(self.corpus)
        column.addStretch(1)
        head = QHBoxLayout()
        head.setContentsMargins(SIDE - 8, 10, SIDE, 6)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(Words(theme, "New study", role="heading"))
        head.addWidget(self.name, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self.choices, 1)
        whole.addWidget(self.tray)

    def _section(self, title: str, words: str) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 10, 0, 0)
        row.setSpacing(10)
        row.addWidget(Words(self._theme, title, bold=True))
        row.addWidget(Words(self._theme, words, role="small", tone="secondary"), 1, Qt.AlignmentFlag.AlignVCenter)
        self.choices.column.addLayout(row)

    def _connect(self) -> None:
        self.back.clicked.connect(self.left)
        self.tray.started.connect(self.started)
        self.name.textEdited.connect(self._draft.rename)
        self._more.clicked.connect(self._toggle_all)
        self._draft.changed.connect(self.follow)
        self._draft.original_changed.connect(lambda: self.choices.verticalScrollBar().setValue(0))

    def follow(self) -> None:
        """Show the draft as it is now; rows are made anew only where there are others than before."""
        draft = self._draft
        if list(self.rows) != self._wanted():
            self._rebuild()
        for name, row in self.rows.items():
            row.follow(ticked=draft.has(name))
        if self.name.text() != draft.name:
            self.name.setText(draft.name)
        self._show_words()

    def _wanted(self) -> list[str]:
        models = [model.id for model in self._draft.candidates()]
        return models + [card.name for card in self._shown_cards()]

    def _shown_cards(self) -> list[RecipeCard]:
        """All, or the first few and what was ever ticked: what is unticked does not go away."""
        cards = self._draft.cards
        self._ticked |= {card.name for card in cards if self._draft.has(card.name)}
        if self._shows_all:
            return cards
        return [card for number, card in enumerate(cards) if number < _FEW or card.name in self._ticked]

    def _rebuild(self) -> None:
        for row in self.rows.values():
            row.hide()
            row.deleteLater()
        self.rows = {}
        models = [self._row(model.id, model.id, "", detail(model)) for model in self._draft.candidates()]
        recipes = [
            self._row(card.name, card.title, card.recipe.purpose, _size(card.figures.forecast))
            for card in self._shown_cards()
            if card.figures
        ]
        for grid, rows in ((self._models, models), (self._recipes, recipes)):
            grid.show_cards(rows)
            grid.setVisible(bool(rows))
        self._show_words()

    def _row(self, name: str, title: str, purpose: str, figures: str) -> TickRow:
        row = self.rows[name] = TickRow(self._theme, name, title, purpose, figures)
        row.follow(ticked=self._draft.has(name))
        row.ticked.connect(lambda name, ticked: self._draft.tick(name, ticked=ticked))
        return row

    def _show_words(self) -> None:
        draft, model = self._draft, self._draft.original
        self.originals.setText(model.name if model else "Choose a model")
        self.originals.setAccessibleName(f"Original: {self.originals.text()}")
        self.originals.updateGeometry()
        self._facts.setText(f"{model.id} · {detail(model)}" if model else "There is no model to begin with.")
        self._no_models.setText("None yet. What is made below stands in the library afterwards.")
        self._no_models.setVisible(bool(model) and not draft.candidates())
        waiting = "Reading of what the model consists…" if draft.is_reading else draft.trouble
        self._no_recipes.setText(waiting or "All recipes have been made already.")
        self._no_recipes.setVisible(bool(model) and not draft.cards)
        rest = len(draft.cards) - len(self._shown_cards())
        self._more.setVisible(rest > 0 or (self._shows_all and len(draft.cards) > _FEW))
        self._more.setText("Fewer recipes" if self._shows_all else f"{rest} more recipes")
        self._more.setAccessibleName(self._more.text())
        self._more.updateGeometry()

    def _toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self.follow()


def _size(found: Forecast) -> str:
    return f"{bytes_in_words(found.size_bytes)} · {found.bits_per_weight:.2f} bits"
