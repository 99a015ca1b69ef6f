"""Samples of a study: every model at every precision of its KV cache."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.protocol import CacheBits


@dataclass(frozen=True, slots=True)
class Sample:
    """A model of a study at one precision of its KV cache, with its measurements so far."""

    row: Row
    name: str
    """Short, unique within the study."""
    cache_bits: CacheBits
    fidelity: Fidelity | None = None
    """Distance from the original."""
    result: FidelityResult | None = None
    """All details of the comparison with the original, once it is complete."""
    reference: Fidelity | None = None
    """Any candidate's comparison with this model, which includes this model's perplexity."""

    @property
    def key(self) -> str:
        return sample_key(self.row.label, self.cache_bits)

    @property
    def is_reference(self) -> bool:
        return self.row.is_original and self.cache_bits == 16

    @property
    def speed(self) -> SpeedResult | None:
        """Speed, if it was measured at this precision."""
        speed = self.row.speed
        return speed if speed and speed.plan.cache_bits == self.cache_bits else None


def sample_key(label: str, cache_bits: CacheBits) -> str:
    """Return the identifier of a sample, unique within its study."""
    return f"{label} {cache_bits}"


def samples(study: Study) -> list[Sample]:
    """Return all samples, the original's first, including those not measured yet."""
    names = short_names(study)
    return [sample for row in study.rows for sample in _samples(study, row, names[row.label])]


def sample_of_result(result: FidelityResult) -> Sample:
    """Return the sample of a comparison outside of any study."""
    row = Row(label=result.candidate, path="", fidelity=(result,))
    return Sample(row, result.candidate, result.cache_bits, result.fidelity, result)


def sample_of_speed(speed: SpeedResult) -> Sample:
    """Return the sample of a speed measurement outside of any study."""
    return Sample(Row(label=speed.model, path="", speed=speed), speed.model, speed.plan.cache_bits)


def format_precision(cache_bits: CacheBits) -> str:
    """Return the suffix for the name of a model with a quantized KV cache: ", 4-bit KV"."""
    return "" if cache_bits == 16 else f", {cache_bits}-bit KV"


def _samples(study: Study, row: Row, name: str) -> Iterator[Sample]:
    for bits in _precisions(study, row):
        result = row.fidelity_at(bits)
        yield Sample(
            row,
            name + format_precision(bits),
            bits,
            result.fidelity if result else None,
            result,
            _any_fidelity(study) if row is study.reference_row and bits == 16 else None,
        )


def _precisions(study: Study, row: Row) -> tuple[CacheBits, ...]:
    """Return the planned precisions, then any others with a result. All comparisons are with the original at 16."""
    reference: tuple[CacheBits, ...] = (16,) if row.is_original else ()
    speed = (row.speed.plan.cache_bits,) if row.speed else ()
    results = (result.cache_bits for result in row.fidelity)
    return tuple(dict.fromkeys((*reference, *study.plan.cache_bits, *results, *speed)))


def _any_fidelity(study: Study) -> Fidelity | None:
    return next((result.fidelity for row in study.rows for result in row.fidelity), None)
