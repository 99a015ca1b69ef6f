"""A study as lines to show: one for each model and each precision of its context."""

from dataclasses import dataclass

import msgspec

from mlx_engine.measure.charts.quantities import in_precision, sample_key
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, StepKind, Study
from mlx_engine.protocol import CacheBits

_USUAL_PROMPT = 512
_WHOLE_BITS = 15
"""An original with fewer bits a weight has lost something itself."""
_ORIGINAL = "The original, with which the others are compared"
_STAND_IN = "Answers in the place of the original, which is too large for this machine"
_AT_LEAST = "; or more, since an 8-bit copy stood in for the original"
_PARTS: dict[StepKind, str] = {"speed": "Speed was not measured: "}
_QUANTIZED_ORIGINAL = (
    "Quantized itself, and the others are compared with it: against the true original they lose more than this"
)


@dataclass(frozen=True, slots=True)
class Present:
    """What is being done at this moment: for which row, in words, and what it has found so far."""

    label: str
    words: str
    bits: CacheBits = 16
    so_far: Fidelity | None = None
    speed: SpeedResult | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`fidelity` is what was found, or what is found so far if the line `is_open`.

    `reference` is set for the original itself, whose perplexity comes with the fidelity of others. Speed and memory
    are shown on the first line of a model only. `failure` says what has failed and what to do, "" if nothing has.
    """

    row: Row
    bits: CacheBits
    name: str
    note: str
    fidelity: Fidelity | None = None
    reference: Fidelity | None = None
    is_open: bool = False
    is_first: bool = True
    failure: str = ""
    is_winner: bool = False

    @property
    def is_reference(self) -> bool:
        """Whether it is what all others are held against, with a whole context."""
        return self.row.is_original and self.bits == 16

    @property
    def full_name(self) -> str:
        """The name that stands for itself, outside of the study."""
        return self.row.label.rpartition("/")[2] + in_precision(self.bits)

    @property
    def key(self) -> str:
        """The same as that of the sample in charts."""
        return sample_key(self.row.label, self.bits)

    def reading(self) -> Series | None:
        """Return how fast a prompt of the usual length was read, or the next best."""
        series = self.row.speed.reading if self.row.speed and self.is_first else ()
        return min(series, key=lambda one: abs(one.tokens - _USUAL_PROMPT), default=None)

    def decoding(self) -> Series | None:
        """Return how fast it wrote after the shortest context."""
        series = self.row.speed.decoding if self.row.speed and self.is_first else ()
        return min(series, key=lambda one: one.tokens, default=None)


def lines(study: Study, present: Present | None = None, winner: str = "") -> list[Line]:
    """Return all lines, the original's first; `winner` is the label of the one that has won."""
    found, names = [], short_names(study)
    for row in study.rows:
        first, *_ = precisions = _precisions(study, row)
        for bits in precisions:
            here = present if present and _is_about(present, row, bits, first) else None
            found.append(_line(study, row, bits, here, winner=winner, name=names[row.label]))
    return found


def _precisions(study: Study, row: Row) -> tuple[CacheBits, ...]:
    """The original with a whole context is always there: it is what all is held against."""
    bits = study.plan.cache_bits
    return bits if 16 in bits or not row.is_original else (16, *bits)


def _is_about(present: Present, row: Row, bits: CacheBits, first: CacheBits) -> bool:
    return present.label == row.label and bits == (present.bits if present.so_far else first)


def _line(study: Study, row: Row, bits: CacheBits, here: Present | None, *, winner: str, name: str) -> Line:
    is_first = bits == _precisions(study, row)[0]
    result = row.fidelity_at(bits)
    found = result.fidelity if result else None
    so_far = here.so_far if here else None
    return Line(
        row=msgspec.structs.replace(row, speed=here.speed) if here and here.speed else row,
        bits=bits,
        name=name + in_precision(bits),
        note=here.words if here else _note(study, row, bits, result),
        fidelity=found or so_far,
        reference=_reference(study) if row is study.answering and bits == 16 else None,
        is_open=found is None and so_far is not None,
        is_first=is_first,
        failure="" if here else _failure(row, bits, is_first=is_first),
        is_winner=row.label == winner and is_first,
    )


def _reference(study: Study) -> Fidelity | None:
    return next((one.fidelity for row in study.rows for one in row.fidelity), None)


def _note(study: Study, row: Row, bits: CacheBits, result: FidelityResult | None) -> str:
    if row.is_original and bits == 16:
        return _QUANTIZED_ORIGINAL if 0 < row.bits_per_weight < _WHOLE_BITS else _ORIGINAL
    if result:
        words = verdict(result.fidelity)
        return f"{words[0].upper()}{words[1:]}{_AT_LEAST if result.is_stand_in else ''}"
    if row is study.answering and bits == 16 and not row.has_failed("convert"):
        return _STAND_IN
    return _wanting(study, row, bits)


def _wanting(study: Study, row: Row, bits: CacheBits) -> str:
    """Return why there is no result."""
    if row.has_failed("convert"):
        return "Was not made"
    if row.has_failed("fidelity", bits):
        return "Was not measured"
    if study.original.has_failed("answers"):
        return "Compared with nothing: the original has given no answers"
    return "Waits to be made" if row.recipe and not row.is_made else "Waits to be measured"


def _failure(row: Row, bits: CacheBits, *, is_first: bool) -> str:
    """Return what has failed, where it is to be read: what is true of all precisions, in the first line only."""
    own = (one for one in row.failures if (one.cache_bits == bits if one.step == "fidelity" else is_first))
    return " ".join(f"{_PARTS.get(one.step, '')}{one.title.rstrip('.')}. {one.message}" for one in own)
