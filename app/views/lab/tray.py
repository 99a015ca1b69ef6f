"""The foot of a new study: what it will take, and the button that begins."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.lab_draft import Forecast, LabDraft
from app.views.buttons import LinkButton
from app.views.discover.controls import Badge, FilledButton
from app.views.discover.grid import SIDE
from app.views.discover.words import Words
from app.views.quantize.card import FIT_TONES, FIT_WORDS
from app.views.theme import Theme


class Tray(QWidget):
    """Time, memory and disk; what stands against the study in their place."""

    started = Signal()

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.line = Words(theme, bold=True, wraps=True)
        self.how = Words(theme, role="small", tone="secondary", wraps=True)
        self.badge = Badge(theme)
        self.stand_in = LinkButton(theme, "")
        self.button = FilledButton(theme, "Start")
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.line)
        text.addWidget(self.how)
        text.addWidget(self.stand_in, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE, 10, SIDE, 12)
        row.setSpacing(12)
        row.addLayout(text, 1)
        side = QVBoxLayout()
        side.setSpacing(6)
        side.addWidget(self.button, 0, Qt.AlignmentFlag.AlignRight)
        side.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignRight)
        row.addLayout(side)
        self.button.clicked.connect(self.started)
        self.stand_in.clicked.connect(self._take_stand_in)
        draft.changed.connect(self.follow)
        theme.changed.connect(self.update)
        self.follow()

    def follow(self) -> None:
        """Show what is known now."""
        found = self._draft.forecast()
        self.button.setEnabled(found is not None and not found.problem)
        self.badge.setVisible(found is not None)
        self._show_stand_in(found)
        if found is None:
            self.line.setText("Choose an original.")
            self.how.setText("")
            return
        verdict = found.memory.verdict
        self.badge.show_text(FIT_WORDS[verdict], FIT_TONES[verdict], found.memory.in_words)
        self.line.setText(found.problem or _in_words(found))
        self.how.setText(_how(found))

    def _show_stand_in(self, found: Forecast | None) -> None:
        model = found.stand_in if found else None
        self.stand_in.setVisible(model is not None)
        if model:
            self.stand_in.setText(f"Use its {model.quantization} instead: a lower bound")
            self.stand_in.setAccessibleName(self.stand_in.text())
            self.stand_in.setToolTip(
                f"All others are held against {model.name}. What that one has lost itself is not counted: against the "
                "true original, they lose more than is shown."
            )
            self.stand_in.updateGeometry()

    def _take_stand_in(self) -> None:
        found = self._draft.forecast()
        if found and found.stand_in:
            self._draft.choose_original(found.stand_in)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colours.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colours.border)


def _in_words(found: Forecast) -> str:
    memory = bytes_in_words(found.memory.estimate.total_bytes)
    time = found.time[0].upper() + found.time[1:]
    return f"{time} · {memory} of memory · up to {bytes_in_words(found.disk_bytes)} on disk"


def _how(found: Forecast) -> str:
    if found.problem:
        return ""
    if found.memory.verdict == "too large":
        need, there = found.memory.estimate.total_bytes, found.memory.machine.working_set_bytes
        way_out = "" if found.stand_in else " Make an 8-bit conversion of it first, and hold the others against that."
        return (
            f"The largest model does not fit: {bytes_in_words(need)} of memory are needed, {bytes_in_words(there)} are "
            f"there.{way_out}"
        )
    return f"{found.steps}, one in memory at a time; {found.how}"
