"""How the study stands: what it is doing, how far it is, and who wins."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.lab.studies import Lab
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.progress_bar import ProgressBar
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class Strip(QWidget):
    """Always as high as its buttons, so that what is below stays in its place. Hidden without a study."""

    def __init__(self, lab: Lab, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._is_brief = lab, False
        self._words = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._bar = ProgressBar(theme)
        self.start = FilledButton(theme, "Resume")
        self.stop = SmallButton(theme, "Pause", "Pause the study")
        self.winner = TextLabel(theme, bold=True, wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE - 4, 2, SIDE - 4, 8)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStrut(self.start.sizeHint().height())
        told = QVBoxLayout()
        told.setSpacing(6)
        told.addWidget(self._words)
        told.addWidget(self._bar)
        row.addLayout(told, 1)
        row.addWidget(self.start)
        row.addWidget(self.stop)
        column.addLayout(row)
        column.addWidget(self.winner)
        self.start.clicked.connect(lab.start)
        self.stop.clicked.connect(lab.stop)
        lab.changed.connect(self.follow)
        self.follow()

    def follow(self) -> None:
        """Show how it stands now."""
        stand, judgement = self._lab.stand, self._lab.judgement
        self._words.setText(stand.words)
        self._bar.set_progress(stand.share, is_active=stand.is_running)
        self._bar.setVisible(stand.is_running)
        self._words.setVisible(bool(stand.words))
        self.start.setVisible(bool(stand.start))
        self.start.setText(stand.start)
        # Where nothing is left but to measure once more, it is one thing among others to do.
        self.start.is_filled = stand.share < 1
        self.start.setAccessibleName(f"{stand.start} the study")
        self.start.updateGeometry()
        self.stop.setVisible(stand.is_running)
        self.winner.setText(judgement)
        self.winner.setVisible(bool(judgement))
        is_told = bool(stand.words or judgement) and not self._is_brief
        self.setVisible(stand.is_running or is_told)

    def show_briefly(self, is_brief: bool) -> None:
        """Be seen only while the study runs."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self.follow()
