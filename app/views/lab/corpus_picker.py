"""What is measured on, and in which precisions of the context."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import LabDraft
from app.viewmodels.lab.format import format_gates
from app.viewmodels.lab.text import WIKITEXT
from app.viewmodels.lab.time_estimate import own_kinds
from app.views.kit.chips import Chip
from app.views.kit.flow import Flow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.lab.gates_form import GatesForm
from mlx_engine.amounts import format_context
from mlx_engine.protocol import CacheBits

_PRECISIONS: dict[CacheBits, str] = {16: "16-bit context", 8: "8-bit context", 4: "4-bit context"}
_NO_CHATS = "There are no chats with an answer yet."


class CorpusPicker(QWidget):
    """Four rows of chips: the texts, how much of them, their parts, and the rest."""

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.own = Chip(theme, "Facet's texts")
        self.wikitext = Chip(theme, "WikiText-2")
        self.chats = Chip(theme, "Past chats")
        self.file = Chip(theme, "A file of yours…")
        self.small = Chip(theme, "")
        self.whole = Chip(theme, "All of it")
        self.kinds = {kind: Chip(theme, kind) for kind in own_kinds()}
        self.bits = {bits: Chip(theme, words) for bits, words in _PRECISIONS.items()}
        self.speed = Chip(theme, "Speed and memory")
        self.limits = Chip(theme, "Limits…")
        self.explained = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._parts = Flow(list(self.kinds.values()))
        self._lay_out()
        self._connect()
        self.follow()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Flow([self.own, self.wikitext, self.chats, self.file]))
        column.addWidget(self._parts)
        column.addWidget(Flow([self.small, self.whole]))
        column.addWidget(self.explained)
        column.addWidget(Flow([*self.bits.values(), self.speed, self.limits]))
        for kind, chip in self.kinds.items():
            chip.setAccessibleName(f"Only the part {kind}")

    def _connect(self) -> None:
        draft = self._draft
        self.own.clicked.connect(lambda: self._choose_text(file=""))
        self.wikitext.clicked.connect(lambda: self._choose_text(dataset=WIKITEXT))
        self.chats.clicked.connect(self._choose_chats)
        self.file.clicked.connect(self._ask_for_file)
        self.small.clicked.connect(lambda: draft.choose(is_whole=False))
        self.whole.clicked.connect(lambda: draft.choose(is_whole=True))
        self.speed.clicked.connect(lambda: draft.choose(has_speed=self.speed.isChecked()))
        self.limits.clicked.connect(self.ask_for_limits)
        for chip in self.kinds.values():
            chip.clicked.connect(self._choose_kinds)
        for chip in self.bits.values():
            chip.clicked.connect(self._choose_bits)
        draft.changed.connect(self.follow)

    def follow(self) -> None:
        """Show what is chosen now."""
        chosen = self._draft.choices
        is_own = not chosen.corpus_file and not chosen.dataset
        has_file = bool(chosen.corpus_file) and not chosen.is_private
        self.own.setChecked(is_own)
        self.wikitext.setChecked(bool(chosen.dataset))
        self.chats.setChecked(chosen.is_private)
        self.file.setChecked(has_file)
        self._put(self.wikitext, chosen.dataset if chosen.dataset not in ("", WIKITEXT) else "WikiText-2")
        self._put(self.file, Path(chosen.corpus_file).name if has_file else "A file of yours…")
        self.small.setText(f"{format_context(chosen.few_tokens)} tokens")
        self.small.updateGeometry()
        self.small.setChecked(not chosen.is_whole)
        self.whole.setChecked(chosen.is_whole)
        for kind, chip in self.kinds.items():
            chip.setChecked(kind in chosen.kinds)
        for bits, chip in self.bits.items():
            chip.setChecked(bits in chosen.cache_bits)
        self.speed.setChecked(chosen.has_speed)
        self.limits.setChecked(chosen.gates is not None)
        self._put(self.limits, format_gates(chosen.gates) if chosen.gates else "Limits…")
        self._parts.setVisible(is_own)
        self.explained.setText(self._draft.text.problem or self._draft.text.words)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        found = self._draft.text.count()
        self._put(self.chats, f"Past chats ({found.chats:,})" if found.chats else "Past chats")
        self.chats.setEnabled(bool(found.chats))
        self.chats.setToolTip(found.in_words if found.chats else _NO_CHATS)
        self.chats.setAccessibleDescription(self.chats.toolTip())

    def ask_for_limits(self) -> None:
        """Let the person say what a model must keep to, so that the study names a winner."""
        form = GatesForm(self._draft.choices.gates, self._theme, self)
        form.chosen.connect(lambda gates: self._draft.choose(gates=gates))
        form.finished.connect(self.follow)
        form.finished.connect(form.deleteLater)
        form.open()

    def _put(self, chip: Chip, words: str) -> None:
        metrics = chip.fontMetrics()
        chip.setText(metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, 40 * metrics.averageCharWidth()))
        chip.updateGeometry()

    def _choose_text(self, *, file: str = "", dataset: str = "", is_private: bool = False) -> None:
        chosen = self._draft.choices
        kinds = frozenset() if file or dataset else chosen.kinds
        self._draft.choose(corpus_file=file, dataset=dataset, is_private=is_private, kinds=kinds)

    def _choose_chats(self) -> None:
        if copy := self._draft.text.copy_of_chats():
            self._choose_text(file=copy, is_private=True)
        self.follow()

    def _choose_kinds(self) -> None:
        self._draft.choose(kinds=frozenset(kind for kind, chip in self.kinds.items() if chip.isChecked()))

    def _choose_bits(self) -> None:
        """One of them stays chosen."""
        chosen = tuple(bits for bits, chip in self.bits.items() if chip.isChecked())
        self._draft.choose(cache_bits=chosen or self._draft.choices.cache_bits)

    def _ask_for_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Measure on a text", filter="Texts (*.txt *.md *.jsonl);;All (*)")
        if chosen:
            self._choose_text(file=chosen)
        self.follow()
