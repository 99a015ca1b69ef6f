"""Inspector of the selected model: its facts, files and card, and buttons for actions."""

from typing import Literal

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.library.inspection import DuplicateGroup, ModelInspector, duplicate_facts, model_facts, origin_facts
from app.viewmodels.library.library import problem_of
from app.viewmodels.library.memory_fit import MemoryFit
from app.viewmodels.library.revision_checker import RevisionChecker
from app.viewmodels.library.table import intact_model
from app.views.charts.bit_map import BitMap
from app.views.kit.buttons import IconButton, LinkButton
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.facts import Facts
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import ScaledTheme, Theme
from app.views.models.loss_card import LossCard
from app.views.models.revision_line import RevisionLine
from app.views.transcript.card_text import CardText, first_paragraphs
from mlx_engine.amounts import format_disk

_SIDE = 16
_MAX_FILES = 12
_CARD_PERCENT = 80
_CARD_LENGTH = 1_500
"""Characters of the card in the inspector; the full card has its own page."""


class _ProblemBox(QWidget):
    """A sentence on a tinted background."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.label = TextLabel(theme, role="small", wraps=True)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 9, 12, 9)
        inside.addWidget(self.label)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 9, mixed(colors.window, colors.warning, 0.14))


class Inspector(QWidget):
    """Shows the model that `inspector` has read; the buttons act on it."""

    chat_requested = Signal()
    reveal_requested = Signal()
    rename_requested = Signal()
    delete_requested = Signal()
    card_requested = Signal()
    lab_requested = Signal()
    closed = Signal()

    def __init__(
        self,
        inspector: ModelInspector,
        revisions: RevisionChecker,
        memory: MemoryFit,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._inspector, self._memory, self._theme = inspector, memory, theme
        self._duplicates: DuplicateGroup | None = None
        self._current_card = ""
        self._name = TextLabel(theme, role="heading", wraps=True)
        self._owner = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._close = IconButton(theme, "close", "Close the inspector")
        self._problem = _ProblemBox(theme)
        self._chat = FilledButton(theme, "Chat")
        self.quantize = SmallButton(theme, "Quantize…")
        self.publish = IconButton(theme, "publish", "Publish…")
        self._reveal = IconButton(theme, "folder", "Show in Finder")
        self._rename = IconButton(theme, "edit", "Rename…")
        self._delete = IconButton(theme, "trash", "Move to Trash…")
        self._facts = Facts(theme)
        self._duplicate_facts = Facts(theme, "Duplicates")
        self.loss = LossCard(theme)
        self._map_heading = TextLabel(theme, "Bits of each layer", role="small", bold=True)
        self._map = BitMap(theme)
        self._origin = Facts(theme, "Origin")
        self._files = Facts(theme, "Files", on_right=True)
        self.revision = RevisionLine(revisions, theme)
        self._card_heading = QWidget()
        self.open_card = LinkButton(theme, "Open", "Open the model card")
        self._card = CardText(ScaledTheme(theme, _CARD_PERCENT, self))
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(_SIDE, 12, _SIDE, _SIDE)
        column.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(self._name, 1)
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(self._owner)
        column.addSpacing(8)
        column.addWidget(self._problem)
        actions = QHBoxLayout()
        actions.setSpacing(4)
        actions.addWidget(self._chat)
        actions.addWidget(self.quantize)
        actions.addStretch()
        icons = QHBoxLayout()
        icons.setSpacing(0)
        for button in (self.publish, self._reveal, self._rename, self._delete):
            icons.addWidget(button)
        actions.addLayout(icons)
        column.addLayout(actions)
        self._lay_out_card_heading()
        for parts in (
            (self.loss,),
            (self._facts, self.revision),
            (self._duplicate_facts,),
            (self._map_heading, self._map),
            (self._origin,),
            (self._files,),
            (self._card_heading, self._card),
        ):
            # A margin rather than a spacer: it disappears with a hidden part.
            parts[0].setContentsMargins(0, 10, 0, 0)
            for part in parts:
                column.addWidget(part)
        column.addStretch()
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("About the model")
        self._scroll.setWidget(inside)
        self._theme.thin_scroll_bars(self._scroll)
        for widget in (self._scroll.viewport(), inside):
            widget.setAutoFillBackground(False)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(1, 0, 0, 0)
        outside.addWidget(self._scroll)

    def _lay_out_card_heading(self) -> None:
        row = QHBoxLayout(self._card_heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(TextLabel(self._theme, "Card", role="small", bold=True), 1)
        row.addWidget(self.open_card)

    def _connect(self) -> None:
        self._inspector.changed.connect(lambda: self.refresh(self._duplicates))
        self._theme.changed.connect(self.update)
        for button, signal in (
            (self._chat, self.chat_requested),
            (self._reveal, self.reveal_requested),
            (self._rename, self.rename_requested),
            (self._delete, self.delete_requested),
            (self.open_card, self.card_requested),
            (self._close, self.closed),
            (self.loss.open, self.lab_requested),
        ):
            button.clicked.connect(signal)

    def set_actions(
        self, main_action: Literal["chat", "import"], *, is_enabled: bool, can_rename: bool, lock_reason: str
    ) -> None:
        """Enable the buttons; `is_enabled` is for the main one, `lock_reason` disables deletion."""
        self._chat.setText("Import" if main_action == "import" else "Chat")
        self._chat.updateGeometry()
        self._chat.setEnabled(is_enabled)
        self._rename.setEnabled(can_rename)
        self._delete.setEnabled(not lock_reason)
        self._delete.set_name(lock_reason or "Move to Trash…")

    def refresh(self, duplicates: DuplicateGroup | None = None) -> None:
        """Show the current model and inspection."""
        self._duplicates = duplicates
        row = self._inspector.row
        if row is None:
            return
        model, inspection = intact_model(row), self._inspector.inspection
        self._name.setText(row.name)
        self._owner.setText(row.id.rpartition("/")[0])
        self._problem.label.setText(problem_of(row))
        self._problem.setVisible(bool(problem_of(row)))
        self._facts.show_pairs(model_facts(model, self._memory.of(model)) if model else [("Location", str(row.path))])
        self._duplicate_facts.show_pairs(duplicate_facts(row, duplicates) if duplicates else ())
        layers = inspection.layers if inspection else ()
        self._map.show_layers(layers)
        for part in (self._map, self._map_heading):
            part.setVisible(bool(layers))
        loss = inspection.loss if inspection else None
        if loss:
            self.loss.show_loss(loss)
        self.loss.setVisible(loss is not None and not problem_of(row))
        self.revision.show_row(row)
        self._show_card(inspection.card if inspection else "")
        self._origin.show_pairs(origin_facts(inspection.provenance) if inspection else ())
        files = inspection.files if inspection else ()
        pairs = [(name, format_disk(size)) for name, size in files[:_MAX_FILES]]
        if rest := files[_MAX_FILES:]:
            pairs.append((f"{len(rest)} more", format_disk(sum(size for _, size in rest))))
        self._files.show_pairs(pairs)

    def _show_card(self, card: str) -> None:
        if card != self._current_card:
            self._current_card = card
            self._card.show_card(first_paragraphs(card, _CARD_LENGTH))
        for part in (self._card_heading, self._card):
            part.setVisible(bool(card))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._inspector.reload()

    def event(self, event: QEvent) -> bool:
        # The command line may have measured the model while another app was active.
        if event.type() == QEvent.Type.WindowActivate and self.isVisible():
            self._inspector.reload()
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.window)
        painter.fillRect(0, 0, 1, self.height(), colors.border)
        painter.fillRect(0, 0, self.width(), 1, colors.border)
