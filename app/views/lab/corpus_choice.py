"""What is measured on, and in which precisions of the context."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.viewmodels.lab_draft import LabDraft
from app.viewmodels.lab_pace import own_kinds
from app.viewmodels.lab_words import gates_in_words
from app.views.chips import Chip
from app.views.discover.words import Words
from app.views.flow import Flow
from app.views.lab.gates_form import GatesForm
from app.views.theme import Theme
from mlx_engine.protocol import CacheBits

_PRECISIONS: dict[CacheBits, str] = {16: "16-bit context", 8: "8-bit context", 4: "4-bit context"}


class CorpusChoice(QWidget):
    """Three rows of chips: the texts, their parts, and the rest."""

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.small = Chip(theme, "Facet's texts, 8k tokens")
        self.whole = Chip(theme, "Facet's texts, all")
        self.file = Chip(theme, "A file of yours…")
        self.kinds = {kind: Chip(theme, kind) for kind in own_kinds()}
        self.bits = {bits: Chip(theme, words) for bits, words in _PRECISIONS.items()}
        self.speed = Chip(theme, "Speed and memory")
        self.limits = Chip(theme, "Limits…")
        self._explained = Words(theme, role="small", tone="secondary", wraps=True)
        self._parts = Flow(list(self.kinds.values()))
        self._lay_out()
        self._connect()
        self.follow()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Flow([self.small, self.whole, self.file]))
        column.addWidget(self._parts)
        column.addWidget(self._explained)
        column.addWidget(Flow([*self.bits.values(), self.speed, self.limits]))
        for kind, chip in self.kinds.items():
            chip.setAccessibleName(f"Only the part {kind}")

    def _connect(self) -> None:
        draft = self._draft
        self.small.clicked.connect(lambda: draft.choose(corpus_file="", is_whole=False))
        self.whole.clicked.connect(lambda: draft.choose(corpus_file="", is_whole=True))
        self.file.clicked.connect(self._ask_for_file)
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
        self.small.setChecked(not chosen.corpus_file and not chosen.is_whole)
        self.whole.setChecked(not chosen.corpus_file and chosen.is_whole)
        self.file.setChecked(bool(chosen.corpus_file))
        self.file.setText(Path(chosen.corpus_file).name if chosen.corpus_file else "A file of yours…")
        self.file.updateGeometry()
        for kind, chip in self.kinds.items():
            chip.setChecked(kind in chosen.kinds)
        for bits, chip in self.bits.items():
            chip.setChecked(bits in chosen.cache_bits)
        self.speed.setChecked(chosen.has_speed)
        self.limits.setChecked(chosen.gates is not None)
        self.limits.setText(gates_in_words(chosen.gates) if chosen.gates else "Limits…")
        self.limits.updateGeometry()
        self._parts.setVisible(not chosen.corpus_file)
        self._explained.setText(
            "The beginning of your file is read; nothing leaves this computer."
            if chosen.corpus_file
            else "All parts, unless some are chosen. Results are split by them."
        )

    def ask_for_limits(self) -> None:
        """Let the person say what a model must keep to, so that the study names a winner."""
        form = GatesForm(self._draft.choices.gates, self._theme, self)
        form.chosen.connect(lambda gates: self._draft.choose(gates=gates))
        form.finished.connect(self.follow)
        form.finished.connect(form.deleteLater)
        form.open()

    def _choose_kinds(self) -> None:
        self._draft.choose(kinds=frozenset(kind for kind, chip in self.kinds.items() if chip.isChecked()))

    def _choose_bits(self) -> None:
        """One of them stays chosen."""
        chosen = tuple(bits for bits, chip in self.bits.items() if chip.isChecked())
        self._draft.choose(cache_bits=chosen or self._draft.choices.cache_bits)

    def _ask_for_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Measure on a text", filter="Texts (*.txt *.md *.jsonl)")
        if chosen:
            self._draft.choose(corpus_file=chosen, kinds=frozenset())
        self.follow()
