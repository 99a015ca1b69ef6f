"""The dialog for the limits of a study and the aim among the models within them."""

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QVBoxLayout, QWidget

from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import DISK_GB, MEMORY_GB
from mlx_engine.measure.figures.figures import MEAN_KL, PEAK_MEMORY, SIZE, TOP1_AGREEMENT
from mlx_engine.measure.figures.limits import AIMS
from mlx_engine.measure.study.plan import Gates

_NO_LIMIT = "No limit"
_DECIMALS = 9
"""A limit in GB is exact to the byte."""


class _LimitField(QDoubleSpinBox):
    """Number without trailing zeros, so that a limit shows the digits that were typed."""

    def textFromValue(self, value: float) -> str:
        text, point = super().textFromValue(value), self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text


class GatesForm(QDialog):
    """Emits `gates_changed` with the limits, or None to remove them."""

    gates_changed = Signal(object)  # Gates | None

    def __init__(self, gates: Gates | None, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._initial = initial = gates or Gates()
        self.setWindowTitle("Limits")
        self.kl = _number(f"{MEAN_KL.title} at most", initial.max_mean_kl or 0, maximum=10, step=0.01)
        agreement = 100 * (initial.min_top1_agreement or 0)
        self.agreement = _number(f"{TOP1_AGREEMENT.title} at least", agreement, maximum=100, step=1, unit="%")
        self.folder = _number(
            f"{SIZE.title} at most",
            (initial.max_size_bytes or 0) / DISK_GB,
            maximum=4000,
            step=1,
            unit=" GB",
        )
        self.memory = _number(
            f"{PEAK_MEMORY.title} at most",
            (initial.max_memory_bytes or 0) / MEMORY_GB,
            maximum=4000,
            step=1,
            unit=" GB",
        )
        self.aim = QComboBox()
        self.aim.setAccessibleName("Best")
        for aim, title in AIMS.items():
            self.aim.addItem(title, aim)
        self.aim.setCurrentIndex(list(AIMS).index(initial.prefer))
        self._lay_out(theme)

    def _lay_out(self, theme: Theme) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addWidget(
            TextLabel(
                theme,
                "The table marks the best model within all limits.",
                tone="secondary",
                wraps=True,
            )
        )
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        for field in (self.kl, self.agreement, self.folder, self.memory):
            form.addRow(field.accessibleName(), field)
        form.addRow("Best", self.aim)
        column.addLayout(form)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.Ok)
        clear = buttons.addButton("No Limits", QDialogButtonBox.ButtonRole.ResetRole)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        clear.clicked.connect(self._clear)
        column.addWidget(buttons)

    def gates(self) -> Gates:
        """Return the limits in the form. Limits without a field keep their values."""
        return msgspec.structs.replace(
            self._initial,
            max_mean_kl=self.kl.value() or None,
            min_top1_agreement=round(self.agreement.value() / 100, _DECIMALS + 2) or None,
            max_size_bytes=round(self.folder.value() * DISK_GB) or None,
            max_memory_bytes=round(self.memory.value() * MEMORY_GB) or None,
            prefer=self.aim.currentData(),
        )

    def _accept(self) -> None:
        self.gates_changed.emit(self.gates())
        self.accept()

    def _clear(self) -> None:
        self.gates_changed.emit(None)
        self.accept()


def _number(name: str, value: float, *, maximum: float, step: float, unit: str = "") -> QDoubleSpinBox:
    """Return a field for a limit; 0 means no limit."""
    field = _LimitField(maximum=maximum, decimals=_DECIMALS, singleStep=step, suffix=unit)
    field.setSpecialValueText(_NO_LIMIT)
    field.setAccessibleName(name)
    field.setValue(value)
    return field
