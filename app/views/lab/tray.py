"""Bottom of the setup of a study: estimates, and the button to start it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.estimate import StudyEstimate
from app.views.kit.buttons import LinkButton
from app.views.kit.controls import FilledButton
from app.views.kit.fit_badge import FitBadge
from app.views.kit.flow import Flow
from app.views.kit.grid import SIDE
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_disk, format_memory

_USE_STAND_IN = "Compare with an 8-bit conversion instead"
_STAND_IN_NOTE = "Compared with an 8-bit conversion of the original: true losses are higher."
_NO_STAND_IN = "Compare with the original"


class StudyTray(QWidget):
    """Shows time, memory and disk, or why the study cannot start."""

    started = Signal()

    def __init__(self, draft: StudyDraft, theme: Theme, parent: QWidget | None = None) -> None:
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
        # Aligns the text of the link with other text; only its focus ring extends to the left.
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
        self.stand_in.clicked.connect(lambda: draft.set_options(stand_in=not draft.options.stand_in))
        draft.changed.connect(self.refresh)
        theme.changed.connect(self.update)
        self.refresh()

    def refresh(self) -> None:
        """Show the current estimate."""
        estimate = self._draft.estimate() or StudyEstimate(problem="Choose an original.")
        self.button.setEnabled(not estimate.problem)
        self.problem.setText(estimate.problem)
        self.problem.setVisible(bool(estimate.problem))
        self._line.setVisible(not estimate.problem)
        note = _STAND_IN_NOTE if self._draft.options.stand_in and not estimate.problem else ""
        self.how.setText(f"{note} {_how(estimate)}".strip())
        self.how.setVisible(bool(self.how.text()))
        self._show_stand_in(estimate)
        if not estimate.problem:
            self._show_facts(estimate)

    def _show_facts(self, estimate: StudyEstimate) -> None:
        for label, fact in zip(self.facts, _facts(estimate), strict=True):
            label.setText(fact)
            label.setVisible(bool(fact))
            label.updateGeometry()
        self.badge.setVisible(estimate.memory is not None)
        if estimate.memory:
            self.badge.show_fit(estimate.memory.verdict, estimate.memory.summary)

    def _show_stand_in(self, estimate: StudyEstimate) -> None:
        is_used = self._draft.options.stand_in
        self.stand_in.setVisible(is_used or estimate.is_original_too_large)
        self.stand_in.setText(_NO_STAND_IN if is_used else _USE_STAND_IN)
        self.stand_in.setAccessibleName(self.stand_in.text())
        self.stand_in.setToolTip(
            "Use this if the original does not fit into memory. Losses are then measured against an 8-bit conversion, "
            "so the true losses are higher."
        )
        self.stand_in.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colors.border)


def _facts(estimate: StudyEstimate) -> tuple[str, str, str]:
    """Return time, disk and memory, with separators."""
    memory = f"{format_memory(estimate.memory.estimate.total_bytes)} of memory" if estimate.memory else ""
    time = estimate.time[0].upper() + estimate.time[1:]
    return f"{time} ·", f"about {format_disk(estimate.disk_bytes)} on disk{' ·' if memory else ''}", memory


def _how(estimate: StudyEstimate) -> str:
    """Describe the estimate, and the consequences of a lack of memory."""
    if estimate.problem or not estimate.memory:
        return ""
    sentences = [f"{estimate.models}, one in memory at a time. {estimate.time_basis}"]
    if estimate.memory.verdict == "too large":
        sentences.append("The longest prompts may not fit; their speed is then omitted.")
    sentences += (
        f"{model.name} is unloaded to free memory; the next message in its chat loads it again."
        for model in estimate.models_to_unload
    )
    return " ".join(sentences)
