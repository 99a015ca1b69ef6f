"""The form for the limits of a study and its aim."""

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QVBoxLayout, QWidget

from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import DISK_GB, MEMORY_GB
from mlx_engine.measure.figures.figures import MEAN_KL, PEAK_MEMORY, SIZE, TOP1_AGREEMENT
from mlx_engine.measure.figures.limits import AIMS
from mlx_engine.measure.study.plan import Gates

_NONE = "no limit"


class GatesForm(QDialog):
    """Emits `chosen` with the limits, or None to remove them."""

    chosen = Signal(object)  # Gates | None

    def __init__(self, gates: Gates | None, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given = given = gates or Gates()
        self.setWindowTitle("Limits")
        self.kl = _number(f"{MEAN_KL.title} at most", given.max_mean_kl or 0, most=10, digits=3, step=0.01)
        agreement = 100 * (given.min_top1_agreement or 0)
        self.agreement = _number(f"{TOP1_AGREEMENT.title} at least", agreement, most=100, digits=1, step=1, unit="%")
        self.folder = _number(
            f"{SIZE.title} at most", (given.max_size_bytes or 0) / DISK_GB, most=4000, digits=1, step=1, unit=" GB"
        )
        self.memory = _number(
            f"{PEAK_MEMORY.title} at most",
            (given.max_memory_bytes or 0) / MEMORY_GB,
            most=4000,
            digits=1,
            step=1,
            unit=" GB",
        )
        self.aim = QComboBox()
        self.aim.setAccessibleName("Winner among the models within the limits")
        for aim, words in AIMS.items():
            self.aim.addItem(words, aim)
        self.aim.setCurrentIndex(list(AIMS).index(given.prefer))
        self._lay_out(theme)

    def _lay_out(self, theme: Theme) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addWidget(
            TextLabel(
                theme,
                "Among the models within all limits, the preferred one is marked as the winner in the table.",
                tone="secondary",
                wraps=True,
            )
        )
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        for field in (self.kl, self.agreement, self.folder, self.memory):
            form.addRow(field.accessibleName(), field)
        form.addRow("The winner is", self.aim)
        column.addLayout(form)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.Ok)
        clear = buttons.addButton("No Limits", QDialogButtonBox.ButtonRole.ResetRole)
        buttons.accepted.connect(self._take)
        buttons.rejected.connect(self.reject)
        clear.clicked.connect(self._clear)
        column.addWidget(buttons)

    def gates(self) -> Gates:
        """Return the limits in the form; those that it does not show are unchanged."""
        return msgspec.structs.replace(
            self._given,
            max_mean_kl=self.kl.value() or None,
            min_top1_agreement=self.agreement.value() / 100 or None,
            max_size_bytes=round(self.folder.value() * DISK_GB) or None,
            max_memory_bytes=round(self.memory.value() * MEMORY_GB) or None,
            prefer=self.aim.currentData(),
        )

    def _take(self) -> None:
        self.chosen.emit(self.gates())
        self.accept()

    def _clear(self) -> None:
        self.chosen.emit(None)
        self.accept()


def _number(name: str, value: float, *, most: float, digits: int, step: float, unit: str = "") -> QDoubleSpinBox:
    """Return a field for a limit; 0 is none."""
    field = QDoubleSpinBox(maximum=most, decimals=digits, singleStep=step, suffix=unit)
    field.setSpecialValueText(_NONE)
    field.setAccessibleName(name)
    field.setValue(value)
    return field
