"""A study as lines of a table: one for each model and each precision of its KV cache."""

from dataclasses import dataclass, replace

import msgspec

from mlx_engine.measure.figures.sample import Sample, format_precision, samples
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import Row, StepKind, Study
from mlx_engine.modes import is_quantized
from mlx_engine.protocol import CacheBits

_ORIGINAL = "The original, with which the others are compared"
_STAND_IN = "Replaces the original, which is too large for this Mac"
_AT_LEAST = "; possibly more, because an 8-bit copy replaced the original"
_PARTS: dict[StepKind, str] = {"speed": "Speed was not measured: "}
_QUANTIZED_ORIGINAL = "Already quantized: compared with the true original, the others lose more than shown here"


@dataclass(frozen=True, slots=True)
class CurrentStep:
    """The current step: its row, its progress as text, and its results so far."""

    label: str
    text: str
    bits: CacheBits = 16
    so_far: Fidelity | None = None
    speed: SpeedResult | None = None


@dataclass(frozen=True, slots=True)
class StudyLine:
    """A sample with its verdict or progress as `note`, and with `failure`: what failed and what to do, "" if nothing.

    The fidelity of a line that `is_preliminary` still changes.
    """

    sample: Sample
    note: str
    is_preliminary: bool = False
    failure: str = ""
    is_best: bool = False

    @property
    def row(self) -> Row:
        return self.sample.row

    @property
    def name(self) -> str:
        return self.sample.name

    @property
    def is_reference(self) -> bool:
        return self.sample.is_reference

    @property
    def full_name(self) -> str:
        """The name outside of the study."""
        return self.row.label.rpartition("/")[2] + format_precision(self.sample.cache_bits)

    @property
    def key(self) -> str:
        return self.sample.key


def study_lines(study: Study, step: CurrentStep | None = None, best: str = "") -> list[StudyLine]:
    """Return all lines, the original's first; `best` is the label of the best row within the limits."""
    if step and step.speed:
        study = _with_speed(study, step.label, step.speed)
    first_bits: dict[str, CacheBits] = {}
    result = []
    for sample in samples(study):
        is_first = first_bits.setdefault(sample.row.label, sample.cache_bits) == sample.cache_bits
        line_step = step if step and _is_about(step, sample, is_first=is_first) else None
        result.append(_line(study, sample, line_step, is_first=is_first, is_best=is_first and sample.row.label == best))
    return result


def _with_speed(study: Study, label: str, speed: SpeedResult) -> Study:
    rows = (msgspec.structs.replace(row, speed=speed) if row.label == label else row for row in study.rows)
    return msgspec.structs.replace(study, rows=tuple(rows))


def _is_about(step: CurrentStep, sample: Sample, *, is_first: bool) -> bool:
    return step.label == sample.row.label and (step.bits == sample.cache_bits if step.so_far else is_first)


def _line(study: Study, sample: Sample, step: CurrentStep | None, *, is_first: bool, is_best: bool) -> StudyLine:
    so_far = step.so_far if step and not sample.fidelity else None
    return StudyLine(
        sample=replace(sample, fidelity=so_far) if so_far else sample,
        note=step.text if step else _note(study, sample),
        is_preliminary=so_far is not None,
        failure="" if step else _failure(sample, is_first=is_first),
        is_best=is_best,
    )


def _note(study: Study, sample: Sample) -> str:
    row = sample.row
    if sample.is_reference:
        return _QUANTIZED_ORIGINAL if row.bits_per_weight and is_quantized(row.bits_per_weight) else _ORIGINAL
    if sample.result:
        text = verdict(sample.result.fidelity)
        return f"{text[0].upper()}{text[1:]}{_AT_LEAST if sample.result.is_stand_in else ''}"
    if row is study.reference_row and sample.cache_bits == 16 and not row.has_failed("convert"):
        return _STAND_IN
    return _missing(study, sample)


def _missing(study: Study, sample: Sample) -> str:
    """Return why there is no result."""
    row = sample.row
    if row.has_failed("convert"):
        return "Not created"
    if row.has_failed("fidelity", sample.cache_bits):
        return "Not measured"
    if sample.cache_bits not in study.plan.cache_bits:
        return "Only speed is measured"
    if study.original.has_failed("reference"):
        return "Not compared: the original could not be read"
    return "Waiting to convert" if row.recipe and not row.exists else "Waiting to measure"


def _failure(sample: Sample, *, is_first: bool) -> str:
    """Return the failures of a line; those of the whole model only in its first line."""
    failures = (
        failure
        for failure in sample.row.failures
        if (failure.cache_bits == sample.cache_bits if failure.step == "fidelity" else is_first)
    )
    return " ".join(
        f"{_PARTS.get(failure.step, '')}{failure.title.rstrip('.')}. {failure.message}" for failure in failures
    )
