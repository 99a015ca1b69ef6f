"""What may become of the matrices that are chosen on the map; the colours are those of the map."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.viewmodels.quantize.recipe_map import Cell
from app.views.charts.bit_scale import colour_of, swatch
from app.views.kit.chips import Chip
from app.views.kit.flow import Flow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.quantize.recipes.recipe import Format, Treatment

AS_RECIPE = "as the recipe"
_BITS = (8, 6, 5, 4, 3, 2)
_GROUPS = (32, 64, 128)
_MICRO_SCALED = {
    "MXFP8": Format(mode="mxfp8", bits=8, group_size=32),
    "NVFP4": Format(mode="nvfp4", bits=4, group_size=16),
    "MXFP4": Format(mode="mxfp4", bits=4, group_size=32),
}


class _Choice(Chip):
    """A treatment, with its colour; it is marked where all that is chosen is so."""

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
        self.setAccessibleDescription("chosen" if marked else "")
        self.update()

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self._indent(), 0)

    def _indent(self) -> int:
        return 0 if self._bits is None else self.theme.scaled(9) + 5

    def _text_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(self._indent(), 0, 0, 0)

    def _paint_more(self, painter: QPainter) -> None:
        if self._bits is not None:
            swatch(painter, self.theme, QRectF(self.rect()).adjusted(11, 0, 0, 0), colour_of(self._bits))


class TreatmentPalette(QWidget):
    """`chosen` tells a `Treatment`, or `AS_RECIPE`."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = 64
        self._bits: int | None = None
        """The affine bits of all that is chosen, if they are the same."""
        self._keep = _Choice(theme, "Keep", 16)
        self._affine = {bits: _Choice(theme, f"{bits}-bit", bits) for bits in _BITS}
        self._groups = {size: _Choice(theme, f"{size}") for size in _GROUPS}
        self._micro = {words: _Choice(theme, words, form.bits) for words, form in _MICRO_SCALED.items()}
        self._reset = _Choice(theme, "As in the recipe")
        self._parts = [self._keep, *self._affine.values(), *self._groups.values(), *self._micro.values(), self._reset]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        for words, choices in (
            ("What is chosen becomes", [self._keep, *self._affine.values()]),
            ("in groups of so many weights", list(self._groups.values())),
            ("or, micro-scaling", [*self._micro.values(), self._reset]),
        ):
            column.addWidget(TextLabel(theme, words, role="small", tone="secondary"))
            column.addWidget(Flow(choices))
        for size, choice in self._groups.items():
            choice.setAccessibleName(f"Groups of {size}")
        self._connect()
        self.follow(())

    def _connect(self) -> None:
        self._keep.clicked.connect(lambda: self.chosen.emit("keep"))
        self._reset.clicked.connect(lambda: self.chosen.emit(AS_RECIPE))
        for bits, choice in self._affine.items():
            choice.clicked.connect(lambda _=False, bits=bits: self.choose_bits(bits))
        for size, choice in self._groups.items():
            choice.clicked.connect(lambda _=False, size=size: self._choose_group(size))
        for words, choice in self._micro.items():
            choice.clicked.connect(lambda _=False, form=_MICRO_SCALED[words]: self.chosen.emit(form))

    def choose_bits(self, bits: int) -> None:
        """Choose so many bits; 0 is to keep it, -1 is as the recipe says."""
        special: dict[int, Treatment | str] = {0: "keep", -1: AS_RECIPE}
        self.chosen.emit(special[bits] if bits in special else Format(bits=bits, group_size=self._group))

    def _choose_group(self, size: int) -> None:
        self._group = size
        self._mark_group()
        if self._bits is not None:
            self.choose_bits(self._bits)

    def follow(self, cells: Sequence[Cell]) -> None:
        """Mark what all of the cells are."""
        forms = {cell.format for cell in cells}
        form = next(iter(forms)) if len(forms) == 1 else None
        is_affine = form is not None and form.mode == "affine"
        self._bits = form.bits if form and is_affine else None
        if form and is_affine:
            self._group = form.group_size
        for bits, choice in self._affine.items():
            choice.mark(marked=bits == self._bits)
        for words, choice in self._micro.items():
            choice.mark(marked=form == _MICRO_SCALED[words])
        self._keep.mark(marked=forms == {None})
        self._mark_group()
        for part in self._parts:
            part.setEnabled(bool(cells))

    def _mark_group(self) -> None:
        for size, choice in self._groups.items():
            choice.mark(marked=size == self._group)
