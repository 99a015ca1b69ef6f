"""Setup of a new study: original, models, recipes and text."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.related_models import RelatedModel
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
from mlx_engine.amounts import format_count, format_disk
from mlx_engine.quantize.plan.forecast import ConversionForecast

_FIRST = ("8bit", "balanced-6bit", "balanced-5bit", "balanced-4bit", "4bit", "balanced-3bit")
"""Recipes that are shown first, with the user's own."""
_ROW_WIDTH = 330
_NAME_WIDTH = 360


class _OriginalChip(MenuChip):
    """The model that others are compared with, with a menu of candidates."""

    def __init__(self, draft: StudyDraft, theme: Theme) -> None:
        super().__init__(theme, "Choose a model")
        self._draft = draft

    def menu(self) -> QMenu:
        menu, group = QMenu(self), QActionGroup(self)
        for model in self._draft.originals():
            action = QAction(f"{model.id}   {format_detail(model)}".replace("&", "&&"), menu, checkable=True)
            action.setChecked(model == self._draft.original)
            action.triggered.connect(lambda _checked=False, model=model: self._draft.set_original(model))
            group.addAction(action)
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


class StudySetup(QWidget):
    """Edits `draft`; `hub_requested` is for published conversions of the original."""

    canceled = Signal()
    started = Signal()
    hub_requested = Signal(str)  # name of the original

    def __init__(self, draft: StudyDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.originals = _OriginalChip(draft, theme)
        self._facts = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.name = TextField(theme, "Study name")
        self.name.setMaxLength(80)
        self.back = IconButton(theme, "chevron-left", "Back")
        self.rows: dict[str, CheckRow] = {}
        self._models, self._recipes = CardGrid(theme, _ROW_WIDTH), CardGrid(theme, _ROW_WIDTH)
        self._no_models = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._no_recipes = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.hub = LinkButton(theme, "Find More on Hugging Face", "Find conversions of this model on Hugging Face")
        self._more = LinkButton(theme, "All Recipes")
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
        self._section("Original", "The model that the others are compared with.")
        column.addWidget(self.originals, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._facts)
        self._section(
            "On this Mac", "Other conversions of the original. Models on Hugging Face must be downloaded first."
        )
        column.addWidget(self._models)
        column.addWidget(self._no_models)
        self._add_link(self.hub)
        self._section(
            "To convert", "Facet converts the original with these recipes and adds the models to your library."
        )
        column.addWidget(self._recipes)
        column.addWidget(self._no_recipes)
        self._add_link(self._more)
        self._section("Text and measurements", "")
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
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.setSpacing(0)
        outside.addLayout(head)
        outside.addWidget(self.choices, 1)
        outside.addWidget(self.tray)

    def _section(self, title: str, explanation: str) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(0, 10, 0, 0)
        row.setSpacing(10)
        row.addWidget(TextLabel(self._theme, title, bold=True))
        row.addWidget(
            TextLabel(self._theme, explanation, role="small", tone="secondary"), 1, Qt.AlignmentFlag.AlignVCenter
        )
        self.choices.column.addLayout(row)

    def _add_link(self, link: LinkButton) -> None:
        """Add a link whose text is aligned with other text; only its focus ring extends to the left."""
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addSpacing(-4)
        row.addWidget(link)
        row.addStretch(1)
        self.choices.column.addLayout(row)

    def _connect(self) -> None:
        self.back.clicked.connect(self.canceled)
        self.tray.started.connect(self.started)
        self.hub.clicked.connect(self._request_hub)
        self.name.textEdited.connect(self._draft.rename)
        self._more.clicked.connect(self._toggle_all)
        self._draft.changed.connect(self.refresh)
        self._draft.original_changed.connect(self._reset)

    def _reset(self) -> None:
        self._shows_all = False
        self._ticked.clear()
        self.choices.verticalScrollBar().setValue(0)

    def refresh(self) -> None:
        """Show the current draft; rebuild the rows only if their names have changed."""
        draft = self._draft
        if list(self.rows) != self._row_names():
            self._rebuild()
        for name, row in self.rows.items():
            row.set_checked(checked=draft.is_selected(name))
        if self.name.text() != draft.name:
            self.name.setText(draft.name)
        self._refresh_texts()

    def _row_names(self) -> list[str]:
        models = [related.model.id for related in self._draft.related]
        return models + [card.name for card in self._visible_cards()]

    def _visible_cards(self) -> list[RecipeCard]:
        """Return all cards, or the first ones, the user's own and those that were ever ticked."""
        cards = self._draft.recipe_cards
        self._ticked |= {card.name for card in cards if self._draft.is_selected(card.name)}
        if self._shows_all:
            return cards
        return [card for card in cards if card.is_users or card.name in _FIRST or card.name in self._ticked]

    def _rebuild(self) -> None:
        for row in self.rows.values():
            row.hide()
            row.deleteLater()
        self.rows = {}
        models = [
            self._row(related.model.id, related.model.id, "", _figures(related)) for related in self._draft.related
        ]
        recipes = [
            self._row(card.name, card.title, _purpose(card), _size(card.forecast.conversion))
            for card in self._visible_cards()
            if card.forecast
        ]
        for grid, rows in ((self._models, models), (self._recipes, recipes)):
            grid.show_cards(rows)
            grid.setVisible(bool(rows))
        self._set_tab_order(models, recipes)
        self._refresh_texts()

    def _set_tab_order(self, models: Sequence[CheckRow], recipes: Sequence[CheckRow]) -> None:
        """Make the Tab key move down the page."""
        model_boxes, recipe_boxes = [row.check_box for row in models], [row.check_box for row in recipes]
        order = [self.back, self.name, self.originals, *model_boxes, self.hub, *recipe_boxes, self._more]
        for current, following in pairwise(order):
            self.setTabOrder(current, following)

    def _row(self, name: str, title: str, purpose: str, figures: str) -> CheckRow:
        row = self.rows[name] = CheckRow(self._theme, name, title, purpose, figures)
        row.set_checked(checked=self._draft.is_selected(name))
        row.toggled.connect(lambda name, checked: self._draft.select(name, selected=checked))
        return row

    def _refresh_texts(self) -> None:
        draft, model = self._draft, self._draft.original
        self.originals.setText(model.name if model else "Choose a model")
        self.originals.setAccessibleName(f"Original: {self.originals.text()}")
        self.originals.updateGeometry()
        self._facts.setText(f"{model.id} · {format_detail(model)}" if model else "No models yet.")
        self._no_models.setText("No other conversions yet.")
        self._no_models.setVisible(bool(model) and not draft.related)
        waiting = "Reading the model's layers…" if draft.is_reading else draft.layers_problem
        self._no_recipes.setText(waiting or "A conversion with every recipe already exists.")
        self._no_recipes.setVisible(bool(model) and not draft.recipe_cards)
        hidden_count = len(draft.recipe_cards) - len(self._visible_cards())
        self._more.setVisible(hidden_count > 0 or (self._shows_all and len(draft.recipe_cards) > len(_FIRST)))
        self._more.setText("Fewer Recipes" if self._shows_all else format_count(hidden_count, "More Recipe"))
        self._more.setAccessibleName(self._more.text())
        self._more.updateGeometry()

    def _request_hub(self) -> None:
        if model := self._draft.original:
            self.hub_requested.emit(bare_name(model))

    def _toggle_all(self) -> None:
        self._shows_all = not self._shows_all
        self.refresh()


def _figures(related: RelatedModel) -> str:
    """Format the size, and the reason if the model is not selected by default."""
    if related.is_confirmed:
        return format_detail(related.model)
    return f"{format_detail(related.model)} · {f'converted from {related.base}' if related.base else 'origin unknown'}"


def _purpose(card: RecipeCard) -> str:
    return f"Your own recipe. {card.recipe.purpose}".rstrip() if card.is_users else card.recipe.purpose


def _size(forecast: ConversionForecast) -> str:
    return f"{format_disk(forecast.size_bytes)} · {forecast.bits_per_weight:.2f} bits"
