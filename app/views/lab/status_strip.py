"""Status of a study: current step, progress and the best model within limits."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.lab.studies import Lab
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.progress_bar import ProgressBar
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class StudyStatusStrip(QWidget):
    """Has the height of its buttons, so that the content below does not move. Hidden if there is nothing to show."""

    def __init__(self, lab: Lab, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._is_brief = lab, False
        self._label = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._bar = ProgressBar(theme)
        self.start = FilledButton(theme, "Resume")
        self.stop = SmallButton(theme, "Pause", "Pause the study")
        self.best = TextLabel(theme, bold=True, wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE - 4, 2, SIDE - 4, 8)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStrut(self.start.sizeHint().height())
        progress = QVBoxLayout()
        progress.setSpacing(6)
        progress.addWidget(self._label)
        progress.addWidget(self._bar)
        row.addLayout(progress, 1)
        row.addWidget(self.start)
        row.addWidget(self.stop)
        column.addLayout(row)
        column.addWidget(self.best)
        self.start.clicked.connect(lab.resume)
        self.stop.clicked.connect(lab.pause)
        lab.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current status."""
        status, judgement = self._lab.status, self._lab.judgement
        self._label.setText(status.text)
        self._bar.set_progress(status.share, is_active=status.is_running)
        self._bar.setVisible(status.is_running)
        self._label.setVisible(bool(status.text))
        self.start.setVisible(bool(status.start_label))
        self.start.setText(status.start_label)
        # With all results in, measuring again is not the main action.
        self.start.is_filled = status.share < 1
        self.start.setAccessibleName(f"{status.start_label}: {self._lab.study.plan.name if self._lab.study else ''}")
        self.start.updateGeometry()
        self.stop.setVisible(status.is_running)
        self.best.setText(judgement)
        self.best.setVisible(bool(judgement))
        has_text = bool(status.text or judgement) and not self._is_brief
        self.setVisible(status.is_running or has_text)

    def show_briefly(self, is_brief: bool) -> None:
        """Hide while no study is running if `is_brief`."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self.refresh()
