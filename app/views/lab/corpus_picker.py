"""Selects the text of a study, its length, the KV caches, and whether to measure speed."""

from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QGridLayout, QSizePolicy, QWidget

from app.viewmodels.lab.corpus_check import WIKITEXT
from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.format import format_gates
from app.viewmodels.lab.time_estimate import builtin_kinds
from app.views.kit.buttons import LinkButton, PaintedButton
from app.views.kit.controls import CheckBox
from app.views.kit.flow import Flow
from app.views.kit.segmented_control import SegmentedControl
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.lab.gates_form import GatesForm
from mlx_engine.amounts import format_context
from mlx_engine.protocol import CacheBits

_CHECK_BOX_GAP = 16
_NO_CHATS = "No chats with an answer yet."
_NO_LIMITS = "Set Limits…"
_FILE = "Your file…"


class CorpusPicker(QWidget):
    """Form for the text, its parts and length, the KV caches, further measurements and limits."""

    def __init__(self, draft: StudyDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self._texts = SegmentedControl(theme, "Text", ["Facet's texts", "WikiText-2", "Past chats", _FILE])
        self.builtin, self.wikitext, self.chats, self.file = self._texts.segments
        self._lengths = SegmentedControl(theme, "Length", ["", "Entire text"])
        self.small, self.whole = self._lengths.segments
        self.kinds = {kind: CheckBox(theme, f"Part: {kind}", kind) for kind in builtin_kinds()}
        self.bits = {bits: CheckBox(theme, f"{bits}-bit KV cache", f"{bits}-bit") for bits in get_args(CacheBits)}
        self.speed = CheckBox(theme, "Measure speed and memory", "Speed and memory")
        self.limits = LinkButton(theme, _NO_LIMITS)
        self.explanation = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._form = QGridLayout(self)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(24)
        self._form.setVerticalSpacing(10)
        self._form.setColumnStretch(1, 1)
        self._add_row("Text", self._texts)
        self._form.addWidget(self.explanation, self._form.rowCount(), 1)
        self._parts = self._add_row("Parts", Flow(list(self.kinds.values()), gap=_CHECK_BOX_GAP))
        self._add_row("Length", self._lengths)
        self._add_row("KV cache", Flow(list(self.bits.values()), gap=_CHECK_BOX_GAP))
        self._add_row("Also measure", Flow([self.speed]))
        self._add_row("Limits", Flow([self.limits]))

    def _add_row(self, title: str, field: QWidget) -> tuple[QWidget, QWidget]:
        """Add a labeled row to the form; return its label and its field."""
        label, row = TextLabel(self._theme, title, tone="secondary"), self._form.rowCount()
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._form.addWidget(label, row, 0, Qt.AlignmentFlag.AlignVCenter)
        # A layout with an alignment does not stretch its widget; a flow needs the whole width.
        alignment = Qt.AlignmentFlag(0) if isinstance(field, Flow) else Qt.AlignmentFlag.AlignLeft
        self._form.addWidget(field, row, 1, alignment)
        return label, field

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
        for box in self.kinds.values():
            box.clicked.connect(self._choose_kinds)
        for box in self.bits.values():
            box.clicked.connect(self._choose_bits)
        draft.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the current options."""
        options = self._draft.options
        has_file = bool(options.corpus_file) and not options.is_private
        is_builtin = not options.corpus_file and not options.dataset
        self._set_title(self.wikitext, options.dataset if options.dataset not in ("", WIKITEXT) else "WikiText-2")
        self._set_title(self.file, Path(options.corpus_file).name if has_file else _FILE)
        self._texts.select(0 if is_builtin else 1 if options.dataset else 2 if options.is_private else 3)
        self._lengths.set_title(0, f"{format_context(options.small_tokens)} tokens")
        self._lengths.select(int(options.uses_all_tokens))
        for kind, box in self.kinds.items():
            box.setChecked(not options.kinds or kind in options.kinds)
        for bits, box in self.bits.items():
            box.setChecked(bits in options.cache_bits)
        self.speed.setChecked(options.measures_speed)
        self.limits.setText(format_gates(options.gates) if options.gates else _NO_LIMITS)
        self.limits.setAccessibleName(f"Limits: {self.limits.text()}")
        self.limits.updateGeometry()
        for part in self._parts:
            part.setVisible(is_builtin)
        self.explanation.setText(self._draft.corpus.problem or self._draft.corpus.description)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        counts = self._draft.corpus.chat_count()
        self._set_title(self.chats, f"Past chats ({counts.chats:,})" if counts.chats else "Past chats")
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

    def _set_title(self, segment: PaintedButton, title: str) -> None:
        metrics = segment.fontMetrics()
        short = metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, 40 * metrics.averageCharWidth())
        self._texts.set_title(self._texts.segments.index(segment), short)

    def _choose_text(self, *, file: str = "", dataset: str = "", is_private: bool = False) -> None:
        kinds = frozenset() if file or dataset else self._draft.options.kinds
        self._draft.set_options(corpus_file=file, dataset=dataset, is_private=is_private, kinds=kinds)

    def _choose_chats(self) -> None:
        if copy := self._draft.corpus.copy_chats():
            self._choose_text(file=copy, is_private=True)
        self.refresh()

    def _choose_kinds(self) -> None:
        """Keep at least one of them selected; an empty set stands for all of them."""
        selected = {kind for kind, box in self.kinds.items() if box.isChecked()}
        if selected:
            self._draft.set_options(kinds=frozenset(selected if len(selected) < len(self.kinds) else ()))
        self.refresh()

    def _choose_bits(self) -> None:
        """Keep at least one of them selected."""
        selected = tuple(bits for bits, box in self.bits.items() if box.isChecked())
        self._draft.set_options(cache_bits=selected or self._draft.options.cache_bits)
        self.refresh()

    def _ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a Text", filter="Texts (*.txt *.md *.jsonl);;All files (*)")
        if path:
            self._choose_text(file=path)
        self.refresh()
