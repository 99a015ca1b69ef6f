"""A study as lines to show: one for each model and each precision of its context."""

from dataclasses import dataclass

from app.viewmodels.recipe_words import title
from mlx_engine.measure.results import Fidelity
from mlx_engine.measure.speed_result import Series
from mlx_engine.measure.study import Row, Study
from mlx_engine.measure.words import verdict
from mlx_engine.protocol import CacheBits

_USUAL_PROMPT = 512


@dataclass(frozen=True, slots=True)
class Present:
    """What is being done at this moment: for which row, in words, and what it has found so far."""

    label: str
    words: str
    bits: CacheBits = 16
    so_far: Fidelity | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`fidelity` is what was found, or what is found so far if the line `is_open`.

    `reference` is set for the original itself, whose perplexity comes with the fidelity of others. Speed and memory
    are shown on the first line of a model only.
    """

    row: Row
    bits: CacheBits
    name: str
    note: str
    fidelity: Fidelity | None = None
    reference: Fidelity | None = None
    is_open: bool = False
    is_first: bool = True
    has_failed: bool = False
    is_winner: bool = False

    @property
    def key(self) -> tuple[str, int]:
        return self.row.label, self.bits

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
    reference = next((one.fidelity for row in study.rows for one in row.fidelity), None)
    found = []
    for row in study.rows:
        for number, bits in enumerate(_precisions(study, row)):
            found.append(_line(row, bits, is_first=number == 0, present=present, reference=reference, winner=winner))
    return found


def _precisions(study: Study, row: Row) -> tuple[CacheBits, ...]:
    """The original with a whole context is always there: it is what all is held against."""
    bits = study.plan.cache_bits
    return bits if 16 in bits or not row.is_original else (16, *bits)


def _line(
    row: Row, bits: CacheBits, *, is_first: bool, present: Present | None, reference: Fidelity | None, winner: str
) -> Line:
    is_reference = row.is_original and bits == 16
    result = row.fidelity_at(bits)
    here = present if present and present.label == row.label and _is_about(present, bits, is_first=is_first) else None
    so_far = here.so_far if here else None
    return Line(
        row=row,
        bits=bits,
        name=_name(row, bits),
        note=_note(row, result.fidelity if result else None, here, is_reference=is_reference),
        fidelity=result.fidelity if result else so_far,
        reference=reference if is_reference else None,
        is_open=result is None and so_far is not None,
        is_first=is_first,
        has_failed=bool(row.failures) and here is None,
        is_winner=row.label == winner and is_first,
    )


def _is_about(present: Present, bits: CacheBits, *, is_first: bool) -> bool:
    return present.bits == bits if present.so_far else is_first


def _name(row: Row, bits: CacheBits) -> str:
    name = row.label.rpartition("/")[2]
    if row.recipe and not row.is_made:
        name = f"{name} ({title(row.recipe)})"
    return name if bits == 16 else f"{name}, {bits}-bit context"


def _note(row: Row, found: Fidelity | None, here: Present | None, *, is_reference: bool) -> str:
    if here:
        return here.words
    if row.failures:
        return " ".join(_sentence(failure.title, failure.message) for failure in row.failures)
    if is_reference:
        return "The original: what all others are held against"
    if found:
        words = verdict(found)
        return words[0].upper() + words[1:]
    return "Waits to be made" if row.recipe and not row.is_made else "Waits to be measured"


def _sentence(head: str, message: str) -> str:
    return f"{head.rstrip('.')}. {message}"
