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
        self.stand_in.clicked.connect(lambda: draft.choose(stand_in=not draft.choices.stand_in))
        draft.changed.connect(self.refresh)
        theme.changed.connect(self.update)
        self.refresh()

    def refresh(self) -> None:
        """Show the current forecast."""
        forecast = self._draft.forecast() or StudyEstimate(problem="Choose an original.")
        self.button.setEnabled(not forecast.problem)
        self.problem.setText(forecast.problem)
        self.problem.setVisible(bool(forecast.problem))
        self._line.setVisible(not forecast.problem)
        note = _STAND_IN_NOTE if self._draft.choices.stand_in and not forecast.problem else ""
        self.how.setText(f"{note} {_how(forecast)}".strip())
        self.how.setVisible(bool(self.how.text()))
        self._show_stand_in(forecast)
        if not forecast.problem:
            self._show_facts(forecast)

    def _show_facts(self, forecast: StudyEstimate) -> None:
        for label, fact in zip(self.facts, _facts(forecast), strict=True):
            label.setText(fact)
            label.setVisible(bool(fact))
            label.updateGeometry()
        self.badge.setVisible(forecast.memory is not None)
        if forecast.memory:
            self.badge.show_fit(forecast.memory.verdict, forecast.memory.summary)

    def _show_stand_in(self, forecast: StudyEstimate) -> None:
        is_used = self._draft.choices.stand_in
        self.stand_in.setVisible(is_used or forecast.is_original_too_large)
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


def _facts(forecast: StudyEstimate) -> tuple[str, str, str]:
    """Return time, disk and memory, with separators."""
    memory = f"{format_memory(forecast.memory.estimate.total_bytes)} of memory" if forecast.memory else ""
    time = forecast.time[0].upper() + forecast.time[1:]
    return f"{time} ·", f"about {format_disk(forecast.disk_bytes)} on disk{' ·' if memory else ''}", memory


def _how(forecast: StudyEstimate) -> str:
    """Describe the estimate, and the consequences of a lack of memory."""
    if forecast.problem or not forecast.memory:
        return ""
    sentences = [f"{forecast.steps}, one in memory at a time. {forecast.how}"]
    if forecast.memory.verdict == "too large":
        sentences.append("The longest prompts may not fit; their speed is then omitted.")
    sentences += (
        f"{model.name} is unloaded to free memory; the next message in its chat loads it again."
        for model in forecast.displaced
    )
    return " ".join(sentences)
