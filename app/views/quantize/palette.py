"""The treatments for the matrices selected on the map, in the map's colors."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_map import MatrixCell
from app.views.charts.bit_scale import bit_color, swatch
from app.views.kit.chips import Chip
from app.views.kit.flow import Flow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.modes import AFFINE, MODES
from mlx_engine.quantize.recipes.recipe import Format, Treatment, fixed_format

AS_RECIPE = "as the recipe"


class _TreatmentChip(Chip):
    """A treatment with its color, marked if the whole selection has it."""

    def __init__(self, theme: Theme, text: str, bits: float | None = None) -> None:
        super().__init__(theme, text)
        self._bits = bits
        self._is_marked = False
        self.setCheckable(False)

    @property
    def is_set(self) -> bool:
        return self._is_marked

    def mark(self, *, marked: bool) -> None:
        self._is_marked = marked
        self.setAccessibleDescription("selected" if marked else "")
        self.update()

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self._indent(), 0)

    def _indent(self) -> int:
        return 0 if self._bits is None else self.theme.scaled(9) + 5

    def _text_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(self._indent(), 0, 0, 0)

    def _paint_more(self, painter: QPainter) -> None:
        if self._bits is not None:
            swatch(painter, self.theme, QRectF(self.rect()).adjusted(11, 0, 0, 0), bit_color(self._bits))


class TreatmentPalette(QWidget):
    """`chosen` carries a `Treatment` or `AS_RECIPE`; `fixed_choices` are the chips of the fixed modes, by name."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = AFFINE.groups[0]
        self._bits: int | None = None
        """The affine bits of the whole selection, if they are the same."""
        self._fixed = {name: fixed_format(mode) for name, mode in MODES.items() if mode.is_fixed}
        self._keep = _TreatmentChip(theme, "Keep", 16)
        self._affine = {bits: _TreatmentChip(theme, f"{bits}-bit", bits) for bits in sorted(AFFINE.bits, reverse=True)}
        self._groups = {size: _TreatmentChip(theme, f"{size}") for size in sorted(AFFINE.groups)}
        self.fixed_choices = {name: _TreatmentChip(theme, form.title, form.bits) for name, form in self._fixed.items()}
        self._reset = _TreatmentChip(theme, "As in recipe")
        rows = (
            ("Set selection to", [self._reset, self._keep, *self._affine.values()]),
            ("Group size", [*self._groups.values()]),
            ("Microscaling formats", [*self.fixed_choices.values()]),
        )
        self._chips = [chip for _, chips in rows for chip in chips]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        for title, chips in rows:
            column.addWidget(TextLabel(theme, title, role="small", tone="secondary"))
            column.addWidget(Flow(chips))
        for size, chip in self._groups.items():
            chip.setAccessibleName(f"Group size {size}")
        self._connect()
        self.show_selection(())

    def _connect(self) -> None:
        self._keep.clicked.connect(lambda: self.chosen.emit("keep"))
        self._reset.clicked.connect(lambda: self.chosen.emit(AS_RECIPE))
        for bits, chip in self._affine.items():
            chip.clicked.connect(lambda _=False, bits=bits: self.choose_bits(bits))
        for size, chip in self._groups.items():
            chip.clicked.connect(lambda _=False, size=size: self._choose_group(size))
        for name, chip in self.fixed_choices.items():
            chip.clicked.connect(lambda _=False, form=self._fixed[name]: self.chosen.emit(form))

    def choose_bits(self, bits: int) -> None:
        """Choose affine quantization to `bits`; 0 means to keep the matrices, -1 the recipe's treatment."""
        special: dict[int, Treatment | str] = {0: "keep", -1: AS_RECIPE}
        self.chosen.emit(special[bits] if bits in special else Format(bits=bits, group_size=self._group))

    def _choose_group(self, size: int) -> None:
        self._group = size
        self._mark_group()
        if self._bits is not None:
            self.choose_bits(self._bits)

    def show_selection(self, cells: Sequence[MatrixCell]) -> None:
        """Mark the treatment that all of the cells have."""
        forms = {cell.format for cell in cells}
        form = next(iter(forms)) if len(forms) == 1 else None
        is_affine = form is not None and form.mode == AFFINE.name
        self._bits = form.bits if form and is_affine else None
        if form and is_affine:
            self._group = form.group_size
        for bits, chip in self._affine.items():
            chip.mark(marked=bits == self._bits)
        for name, chip in self.fixed_choices.items():
            chip.mark(marked=form == self._fixed[name])
        self._keep.mark(marked=forms == {None})
        self._mark_group()
        for chip in self._chips:
            chip.setEnabled(bool(cells))

    def _mark_group(self) -> None:
        for size, chip in self._groups.items():
            chip.mark(marked=size == self._group)
