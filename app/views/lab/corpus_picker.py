"""Selects the text of a study, its length, the KV caches, and whether to measure speed."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.viewmodels.lab.corpus_check import WIKITEXT
from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.format import format_gates
from app.viewmodels.lab.time_estimate import builtin_kinds
from app.views.kit.chips import Chip
from app.views.kit.flow import Flow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.lab.gates_form import GatesForm
from mlx_engine.amounts import format_context
from mlx_engine.protocol import CacheBits

_PRECISIONS: dict[CacheBits, str] = {16: "16-bit KV cache", 8: "8-bit KV cache", 4: "4-bit KV cache"}
_NO_CHATS = "No chats with an answer yet."
_FILE = "Your file…"


class CorpusPicker(QWidget):
    """Four rows of chips: the text, its parts, its length, and the KV caches with the other options."""

    def __init__(self, draft: StudyDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.builtin = Chip(theme, "Facet's texts")
        self.wikitext = Chip(theme, "WikiText-2")
        self.chats = Chip(theme, "Past chats")
        self.file = Chip(theme, _FILE)
        self.small = Chip(theme, "")
        self.whole = Chip(theme, "Entire text")
        self.kinds = {kind: Chip(theme, kind) for kind in builtin_kinds()}
        self.bits = {bits: Chip(theme, label) for bits, label in _PRECISIONS.items()}
        self.speed = Chip(theme, "Speed and memory")
        self.limits = Chip(theme, "Limits…")
        self.explanation = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._parts = Flow(list(self.kinds.values()))
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Flow([self.builtin, self.wikitext, self.chats, self.file]))
        column.addWidget(self._parts)
        column.addWidget(Flow([self.small, self.whole]))
        column.addWidget(self.explanation)
        column.addWidget(Flow([*self.bits.values(), self.speed, self.limits]))
        for kind, chip in self.kinds.items():
            chip.setAccessibleName(f"Part: {kind}")

    def _connect(self) -> None:
        draft = self._draft
        self.builtin.clicked.connect(lambda: self._choose_text(file=""))
        self.wikitext.clicked.connect(lambda: self._choose_text(dataset=WIKITEXT))
        self.chats.clicked.connect(self._choose_chats)
        self.file.clicked.connect(self._ask_for_file)
        self.small.clicked.connect(lambda: draft.set_options(uses_all_tokens=False))
        self.whole.clicked.connect(lambda: draft.set_options(uses_all_tokens=True))
        self.speed.clicked.connect(lambda: draft.set_options(measures_speed=self.speed.isChecked()))
        self.limits.clicked.connect(self.show_limits_form)
        for chip in self.kinds.values():
            chip.clicked.connect(self._choose_kinds)
        for chip in self.bits.values():
            chip.clicked.connect(self._choose_bits)
        draft.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the current options."""
        options = self._draft.options
        is_builtin = not options.corpus_file and not options.dataset
        has_file = bool(options.corpus_file) and not options.is_private
        self.builtin.setChecked(is_builtin)
        self.wikitext.setChecked(bool(options.dataset))
        self.chats.setChecked(options.is_private)
        self.file.setChecked(has_file)
        self._set_label(self.wikitext, options.dataset if options.dataset not in ("", WIKITEXT) else "WikiText-2")
        self._set_label(self.file, Path(options.corpus_file).name if has_file else _FILE)
        self.small.setText(f"{format_context(options.small_tokens)} tokens")
        self.small.updateGeometry()
        self.small.setChecked(not options.uses_all_tokens)
        self.whole.setChecked(options.uses_all_tokens)
        for kind, chip in self.kinds.items():
            chip.setChecked(kind in options.kinds)
        for bits, chip in self.bits.items():
            chip.setChecked(bits in options.cache_bits)
        self.speed.setChecked(options.measures_speed)
        self.limits.setChecked(options.gates is not None)
        self._set_label(self.limits, format_gates(options.gates) if options.gates else "Limits…")
        self._parts.setVisible(is_builtin)
        self.explanation.setText(self._draft.corpus.problem or self._draft.corpus.description)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        counts = self._draft.corpus.chat_count()
        self._set_label(self.chats, f"Past chats ({counts.chats:,})" if counts.chats else "Past chats")
        self.chats.setEnabled(bool(counts.chats))
        self.chats.setToolTip(counts.summary if counts.chats else _NO_CHATS)
        self.chats.setAccessibleDescription(self.chats.toolTip())

    def show_limits_form(self) -> None:
        """Open the form for the limits of the study."""
        form = GatesForm(self._draft.options.gates, self._theme, self)
        form.gates_changed.connect(lambda gates: self._draft.set_options(gates=gates))
        form.finished.connect(self.refresh)
        form.finished.connect(form.deleteLater)
        form.open()

    def _set_label(self, chip: Chip, text: str) -> None:
        metrics = chip.fontMetrics()
        chip.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, 40 * metrics.averageCharWidth()))
        chip.updateGeometry()

    def _choose_text(self, *, file: str = "", dataset: str = "", is_private: bool = False) -> None:
        kinds = frozenset() if file or dataset else self._draft.options.kinds
        self._draft.set_options(corpus_file=file, dataset=dataset, is_private=is_private, kinds=kinds)

    def _choose_chats(self) -> None:
        if copy := self._draft.corpus.copy_chats():
            self._choose_text(file=copy, is_private=True)
        self.refresh()

    def _choose_kinds(self) -> None:
        self._draft.set_options(kinds=frozenset(kind for kind, chip in self.kinds.items() if chip.isChecked()))

    def _choose_bits(self) -> None:
        """Keep at least one of them selected."""
        selected = tuple(bits for bits, chip in self.bits.items() if chip.isChecked())
        self._draft.set_options(cache_bits=selected or self._draft.options.cache_bits)

    def _ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a Text", filter="Texts (*.txt *.md *.jsonl);;All files (*)")
        if path:
            self._choose_text(file=path)
        self.refresh()
