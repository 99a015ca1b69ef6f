"""Row of a planned conversion: the name of its result, and its problem."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.quantize.conversion_plan import ConversionPlan
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.fields.text_field import TextField
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_disk


class PlanRow(QWidget):
    """`renamed` is emitted with every edit of the name."""

    renamed = Signal(str, str)  # key of the recipe, name of the result
    removed = Signal(str)

    def __init__(self, plan: ConversionPlan, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = plan
        self._name = TextField(theme, f"Name of the {plan.card.title} model")
        self._size = TextLabel(theme, role="small", tone="secondary")
        self._remove = IconButton(theme, "close", f"Remove {plan.card.title}")
        self._problem = TextLabel(theme, role="small", tone="danger", wraps=True)
        self._other = SmallButton(theme, "")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for parts in ((self._name, self._size, self._remove), (self._problem, self._other)):
            row = QHBoxLayout()
            row.setSpacing(10)
            for part in parts:
                row.addWidget(part, 1 if part in (self._name, self._problem) else 0)
            column.addLayout(row)
        self._name.textEdited.connect(lambda text: self.renamed.emit(self._plan.card.name, text.strip()))
        self._other.clicked.connect(lambda: self.renamed.emit(self._plan.card.name, self._plan.free_name))
        self._remove.clicked.connect(lambda: self.removed.emit(self._plan.card.name))
        self.show_plan(plan)

    def show_plan(self, plan: ConversionPlan) -> None:
        """Show the current plan, without changing a name that is being typed."""
        self._plan = plan
        if self._name.text().strip() != plan.name and not (self._name.hasFocus() and not self._name.text().strip()):
            with QSignalBlocker(self._name):
                self._name.setText(plan.name)
        size = format_disk(plan.card.forecast.conversion.size_bytes) if plan.card.forecast else ""
        self._size.setText(f"{plan.card.title} · {size}")
        self._problem.setText(plan.problem)
        self._problem.setVisible(bool(plan.problem))
        self._other.setText(f"Use “{plan.free_name}”")
        self._other.updateGeometry()
        self._other.setVisible(bool(plan.free_name))
