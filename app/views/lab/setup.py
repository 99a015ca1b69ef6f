"""Where a study is put together."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import LabDraft
from app.viewmodels.lab.related_models import Kin
from app.viewmodels.library.library import format_detail
from app.viewmodels.quantize.conversion_plan import bare_name
from app.viewmodels.quantize.recipe_cards import RecipeCard
from app.views.kit.buttons import IconButton, LinkButton
from app.views.kit.chips import MenuChip
from app.views.kit.fields.text_field import TextField
from app.views.kit.grid import SIDE, CardGrid, VerticalScrollArea
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.lab.check_row import CheckRow
from app.views.lab.corpus_picker import CorpusPicker
from app.views.lab.tray import StudyTray
from mlx_engine.amounts import format_disk
from mlx_engine.quantize.plan.forecast import ConversionForecast

_FIRST = ("8bit", "balanced-6bit", "balanced-5bit", "balanced-4bit", "4bit", "balanced-3bit")
"""The recipes that are shown at once, besides the person's own."""
_ROW_WIDTH = 330
_NAME_WIDTH = 360


class _Originals(MenuChip):
    """The model that others are held against."""

    def __init__(self, draft: LabDraft, theme: Theme) -> None:
        super().__init__(theme, "Choose a model")
        self._draft = draft

    def menu(self) -> QMenu:
        menu, group = QMenu(self), QActionGroup(self)
        for model in self._draft.originals():
            action = QAction(f"{model.id}   {format_detail(model)}".replace("&", "&&"), menu, checkable=True)
            action.setChecked(model == self._draft.original)
            action.triggered.connect(lambda _checked=False, model=model: self._draft.choose_original(model))
            group.addAction(action)
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


class Setup(QWidget):
    """`left` is told when the draft is given up, `started` when it is to begin; `hub_requested` asks for conversions
    that others have published, with the name of the original.
    """

    left = Signal()
    started = Signal()
    hub_requested = Signal(str)

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.originals = _Originals(draft, theme)
        self._facts = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.name = TextField(theme, "Name of the study")
        self.name.setMaxLength(80)
        self.back = IconButton(theme, "chevron-left", "Back")
        self.rows: dict[str, CheckRow] = {}
        self._models, self._recipes = CardGrid(theme, _ROW_WIDTH), CardGrid(theme, _ROW_WIDTH)
        self._no_models = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._no_recipes = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.hub = LinkButton(theme, "Find more on the Hub", "Find conversions of this model on the Hub")
        self._more = LinkButton(theme, "All recipes")
        self._shows_all = False
        self._ticked: set[str] = set()
        self.corpus = CorpusPicker(draft, theme)
        self.tray = StudyTray(draft, theme)
        self.choices = VerticalScrollArea(theme, "New study")
        self._lay_out()
        self._connect()
        self._rebuild()

    def _lay_out(self) -> None:
        theme, column = self._theme, self.choices.column
        column.setSpacing(8)
        self._section("Original", "What the others are compared with.")
        column.addWidget(self.originals, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._facts)
        self._section("On this computer", "Other conversions of it; what is on the Hub has to be downloaded first.")
        column.addWidget(self._models)
        column.addWidget(self._no_models)
        self._add_link(self.hub)
        self._section("To be made", "Facet converts the original by these recipes and keeps the results.")
        column.addWidget(self._recipes)
        column.addWidget(self._no_recipes)
        self._add_link(self._more)
        self._section("Measured on", "")
        column.addWidget(self.corpus)
        column.addStretch(1)
        head = QHBoxLayout()
        head.setContentsMargins(SIDE - 8, 10, SIDE, 6)
        head.setSpacing(8)
        head.addWidget(self.back)
        head.addWidget(TextLabel(theme, "New study", role="heading"))
        self.name.setMaximumWidth(theme.scaled(_NAME_WIDTH))
        head.addWidget(self.name, 1)
        head.addStretch(0)
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
        row.addWidget(TextLabel(self._theme, title, bold=True))
        row.addWidget(TextLabel(self._theme, words, role="small", tone="secondary"), 1, Qt.AlignmentFlag.AlignVCenter)
        self.choices.column.addLayout(row)

    def _add_link(self, link: LinkButton) -> None:
        """Let the words of a link begin where all others do; what marks it in the focus stands out a little."""
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addSpacing(-4)
        row.addWidget(link)
        row.addStretch(1)
        self.choices.column.addLayout(row)

    def _connect(self) -> None:
        self.back.clicked.connect(self.left)
        self.tray.started.connect(self.started)
        self.hub.clicked.connect(self._ask_for_hub)
        self.name.textEdited.connect(self._draft.rename)
        self._more.clicked.connect(self._toggle_all)
        self._draft.changed.connect(self.follow)
        self._draft.original_changed.connect(self._begin_anew)

    def _begin_anew(self) -> None:
        self._shows_all = False
        self._ticked.clear()
        self.choices.verticalScrollBar().setValue(0)

    def follow(self) -> None:
        """Show the draft as it is now; rows are made anew only where there are others than before."""
        draft = self._draft
        if list(self.rows) != self._wanted():
            self._rebuild()
        for name, row in self.rows.items():
            row.set_checked(checked=draft.has(name))
        if self.name.text() != draft.name:
            self.name.setText(draft.name)
        self._show_words()

    def _wanted(self) -> list[str]:
        models = [kin.model.id for kin in self._draft.kin]
        return models + [card.name for card in self._shown_cards()]

    def _shown_cards(self) -> list[RecipeCard]:
        """All, or the usual ones, the person's own and what was ever ticked: what is unticked does not go away."""
        cards = self._draft.cards
        self._ticked |= {card.name for card in cards if self._draft.has(card.name)}
        if self._shows_all:
            return cards
        return [card for card in cards if card.is_users or card.name in _FIRST or card.name in self._ticked]

    def _rebuild(self) -> None:
        for row in self.rows.values():
            row.hide()
            row.deleteLater()
        self.rows = {}
        models = [self._row(kin.model.id, kin.model.id, "", _figures(kin)) for kin in self._draft.kin]
        recipes = [
            self._row(card.name, card.title, _purpose(card), _size(card.forecast.conversion))
            for card in self._shown_cards()
            if card.forecast
        ]
        for grid, rows in ((self._models, models), (self._recipes, recipes)):
            grid.show_cards(rows)
            grid.setVisible(bool(rows))
        self._put_in_order(models, recipes)
        self._show_words()

    def _put_in_order(self, models: Sequence[CheckRow], recipes: Sequence[CheckRow]) -> None:
        """Let the Tab key go down the page, whatever was made when."""
        of_models, of_recipes = [row.check_box for row in models], [row.check_box for row in recipes]
        order = [self.back, self.name, self.originals, *of_models, self.hub, *of_recipes, self._more]
        for one, next_one in pairwise(order):
            self.setTabOrder(one, next_one)

    def _row(self, name: str, title: str, purpose: str, figures: str) -> CheckRow:
        row = self.rows[name] = CheckRow(self._theme, name, title, purpose, figures)
        row.set_checked(checked=self._draft.has(name))
        row.toggled.connect(lambda name, checked: self._draft.tick(name, ticked=checked))
        return row

    def _show_words(self) -> None:
        draft, model = self._draft, self._draft.original
        self.originals.setText(model.name if model else "Choose a model")
        self.originals.setAccessibleName(f"Original: {self.originals.text()}")
        self.originals.updateGeometry()
        self._facts.setText(f"{model.id} · {format_detail(model)}" if model else "There is no model to begin with.")
        self._no_models.setText("None yet.")
        self._no_models.setVisible(bool(model) and not draft.kin)
        waiting = "Reading which matrices the model has…" if draft.is_reading else draft.trouble
        self._no_recipes.setText(waiting or "There is a conversion by every recipe already.")
        self._no_recipes.setVisible(bool(model) and not draft.cards)
        rest = len(draft.cards) - len(self._shown_cards())
        self._more.setVisible(rest > 0 or (self._shows_all and len(draft.cards) > len(_FIRST)))
        self._more.setText("Fewer recipes" if self._shows_all else f"{rest} more recipes")
        self._more.setAccessibleName(self._more.text())
        self._more.updateGeometry()

    def _ask_for_hub(self) -> None:
        if model := self._draft.original:
            self.hub_requested.emit(bare_name(model))

    def _toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self.follow()


def _figures(kin: Kin) -> str:
    """Say how large it is, and why it is not ticked at first if it is not."""
    if kin.is_sure:
        return format_detail(kin.model)
    return (
        f"{format_detail(kin.model)} · {f'made from {kin.base}' if kin.base else 'does not say from what it was made'}"
    )


def _purpose(card: RecipeCard) -> str:
    return f"Your own recipe. {card.recipe.purpose}".rstrip() if card.is_users else card.recipe.purpose


def _size(found: ConversionForecast) -> str:
    return f"{format_disk(found.size_bytes)} · {found.bits_per_weight:.2f} bits"
