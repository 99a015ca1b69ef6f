"""A conversion that was chosen: what its result is called, and what stands against it."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.conversion_plan import Plan
from app.views.buttons import IconButton
from app.views.discover.controls import SmallButton
from app.views.discover.words import Words
from app.views.theme import Theme


class PlanRow(QWidget):
    """`renamed` tells the new name as it is typed."""

    renamed = Signal(str, str)  # the recipe's name, the result's
    dropped = Signal(str)

    def __init__(self, plan: Plan, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._plan = theme, plan
        self._name = QLineEdit()
        self._name.setAccessibleName(f"Name of the {plan.card.title} model")
        self._size = Words(theme, role="small", tone="secondary")
        self._drop = IconButton(theme, "close", f"Do not make {plan.card.title}")
        self._problem = Words(theme, role="small", tone="danger", wraps=True)
        self._other = SmallButton(theme, "")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._name, 0, 0)
        grid.addWidget(self._size, 0, 1)
        grid.addWidget(self._drop, 0, 2)
        grid.addWidget(self._problem, 1, 0)
        grid.addWidget(self._other, 1, 1, 1, 2)
        self._name.textEdited.connect(lambda text: self.renamed.emit(self._plan.card.name, text.strip()))
        self._other.clicked.connect(lambda: self.renamed.emit(self._plan.card.name, self._plan.other_name))
        self._drop.clicked.connect(lambda: self.dropped.emit(self._plan.card.name))
        theme.changed.connect(self._dress)
        self._dress()
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Show the plan as it is now; what is being typed is left alone."""
        self._plan = plan
        if self._name.text().strip() != plan.name and not (self._name.hasFocus() and not self._name.text().strip()):
            with QSignalBlocker(self._name):
                self._name.setText(plan.name)
        size = bytes_in_words(plan.card.figures.forecast.size_bytes) if plan.card.figures else ""
        self._size.setText(f"{plan.card.title} · {size}")
        self._problem.setText(plan.problem)
        self._problem.setVisible(bool(plan.problem))
        self._other.setText(f"Call it {plan.other_name}")
        self._other.updateGeometry()
        self._other.setVisible(bool(plan.other_name))

    def _dress(self) -> None:
        self._name.setFont(self._theme.font("label"))
        self._name.setMinimumHeight(QFontMetrics(self._name.font()).height() + 8)
