"""The foot of a new study: what it will take, and the button that begins."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import LabDraft
from app.viewmodels.lab.forecast import Forecast
from app.views.kit.buttons import LinkButton
from app.views.kit.controls import FilledButton
from app.views.kit.fit_badge import FitBadge
from app.views.kit.flow import Flow
from app.views.kit.grid import SIDE
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_disk, format_memory

_STAND_IN = "Let an 8-bit conversion stand in for it: all losses are lower bounds then"
_STANDS_IN = "An 8-bit conversion stands in for the original: all losses are lower bounds."
_NO_STAND_IN = "Do without the stand-in"


class StudyTray(QWidget):
    """Time, memory and disk; what stands against the study in their place."""

    started = Signal()

    def __init__(self, draft: LabDraft, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._theme = draft, theme
        self.facts = [TextLabel(theme, bold=True) for _ in range(3)]
        self.badge = FitBadge(theme)
        self.problem = TextLabel(theme, bold=True, wraps=True)
        self.how = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.stand_in = LinkButton(theme, "")
        self.button = FilledButton(theme, "Start")
        self._line = Flow([*self.facts, self.badge])
        text = QVBoxLayout()
        text.setSpacing(2)
        for part in (self._line, self.problem, self.how):
            text.addWidget(part)
        link = QHBoxLayout()
        link.setSpacing(0)
        # Its words begin where all others do; what marks it in the focus stands out a little.
        link.addSpacing(-4)
        link.addWidget(self.stand_in)
        link.addStretch(1)
        text.addLayout(link)
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE, 10, SIDE, 12)
        row.setSpacing(16)
        row.addLayout(text, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.button.clicked.connect(self.started)
        self.stand_in.clicked.connect(lambda: draft.choose(stand_in=not draft.choices.stand_in))
        draft.changed.connect(self.follow)
        theme.changed.connect(self.update)
        self.follow()

    def follow(self) -> None:
        """Show what is known now."""
        found = self._draft.forecast() or Forecast(problem="Choose an original.")
        self.button.setEnabled(not found.problem)
        self.problem.setText(found.problem)
        self.problem.setVisible(bool(found.problem))
        self._line.setVisible(not found.problem)
        stands_in = _STANDS_IN if self._draft.choices.stand_in and not found.problem else ""
        self.how.setText(f"{stands_in} {_how(found)}".strip())
        self.how.setVisible(bool(self.how.text()))
        self._show_stand_in(found)
        if not found.problem:
            self._show_facts(found)

    def _show_facts(self, found: Forecast) -> None:
        for words, fact in zip(self.facts, _facts(found), strict=True):
            words.setText(fact)
            words.setVisible(bool(fact))
            words.updateGeometry()
        self.badge.setVisible(found.memory is not None)
        if found.memory:
            self.badge.show_fit(found.memory.verdict, found.memory.summary)

    def _show_stand_in(self, found: Forecast) -> None:
        is_taken = self._draft.choices.stand_in
        self.stand_in.setVisible(is_taken or found.is_original_too_large)
        self.stand_in.setText(_NO_STAND_IN if is_taken else _STAND_IN)
        self.stand_in.setAccessibleName(self.stand_in.text())
        self.stand_in.setToolTip(
            "The others are compared with a conversion of the original to 8 bits. What that one has lost is missing "
            "from every figure: against the original itself, the others lose more than is shown."
        )
        self.stand_in.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colors.border)


def _facts(found: Forecast) -> tuple[str, str, str]:
    """Return time, disk and memory, each but the last with what parts it from the next."""
    memory = f"{format_memory(found.memory.estimate.total_bytes)} of memory" if found.memory else ""
    time = found.time[0].upper() + found.time[1:]
    return f"{time} ·", f"about {format_disk(found.disk_bytes)} on disk{' ·' if memory else ''}", memory


def _how(found: Forecast) -> str:
    """Say how it is reckoned; of what may not fit, what happens then."""
    if found.problem or not found.memory:
        return ""
    words = [f"{found.steps}, one in memory at a time. {found.how}"]
    if found.memory.verdict == "too large":
        words.append("The longest prompts may not fit; their speed is left out then.")
    words += (
        f"{model.name} is unloaded to make room; the next message of its chat loads it again."
        for model in found.displaced
    )
    return " ".join(words)
