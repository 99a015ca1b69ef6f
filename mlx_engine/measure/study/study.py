"""The state of a study, and pure functions that return the remaining steps and apply the events of a step.

The state is one value that is saved after each step, so a killed study resumes with the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from mlx_engine.hub_messages import DatasetFetched, FetchDataset
from mlx_engine.measure.results.messages import (
    FidelityMeasured,
    MeasureFidelity,
    MeasureRequest,
    MeasureSpeed,
    RecordReference,
    ReferenceRecorded,
    SpeedMeasured,
)
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.protocol import CacheBits
from mlx_engine.quantize.plan.messages import Convert, Converted
from mlx_engine.quantize.recipes.recipe import Recipe

FORMAT = 1

StepKind = Literal["fetch", "reference", "convert", "fidelity", "speed"]


class StepFailure(msgspec.Struct, frozen=True):
    """A failed step and its reason; it is retried when the study runs again."""

    step: StepKind
    title: str
    message: str
    cache_bits: CacheBits = 16


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the study. If it does not exist yet, it is converted with `recipe` first."""

    label: str
    path: str
    is_original: bool = False
    is_stand_in: bool = False
    """Whether it replaces an original that is too large for this Mac."""
    recipe: Recipe | None = None
    exists: bool = True
    """Whether the model exists."""
    size_bytes: int = 0
    bits_per_weight: float = 0.0
    quantization: str = ""
    fidelity: tuple[FidelityResult, ...] = ()
    """One result for each precision of the KV cache."""
    speed: SpeedResult | None = None
    failures: tuple[StepFailure, ...] = ()

    @property
    def needs_conversion(self) -> bool:
        return not self.exists and self.recipe is not None and not self.has_failed("convert")

    def fidelity_at(self, bits: CacheBits) -> FidelityResult | None:
        return next((result for result in self.fidelity if result.cache_bits == bits), None)

    def has_failed(self, step: StepKind, bits: CacheBits = 16) -> bool:
        return any((failure.step, failure.cache_bits) == (step, bits) for failure in self.failures)


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """The plan, and a row for each of its models; the first row is the original."""

    format: int = FORMAT
    plan: StudyPlan
    rows: tuple[Row, ...]
    dataset: str = ""
    """Name and commit of the plan's data set; "" until it is downloaded."""
    reference_folder: str = ""
    """The folder of the stored predictions of the original; "" until they are complete."""
    created: str = ""

    @property
    def original(self) -> Row:
        return self.rows[0]

    @property
    def reference_row(self) -> Row:
        """The row that candidates are compared with: the original, or its stand-in."""
        return next((row for row in self.rows if row.is_stand_in), self.original)

    @property
    def lacks_dataset(self) -> bool:
        """True if the data set must be downloaded; it is not needed once the predictions are stored."""
        return bool(self.plan.corpus.dataset) and not self.dataset and not self.reference_folder

    @property
    def reference_failed(self) -> bool:
        """True if a failure prevents predictions of the original."""
        return self.original.has_failed("reference") or self.original.has_failed("fetch")

    def is_unavailable(self, row: Row) -> bool:
        """Return True for an original that does not exist or is too large for this Mac."""
        return row.is_original and (not row.exists or self.reference_row is not row)

    @property
    def bits(self) -> CacheBits:
        """The highest precision of the KV cache in the plan."""
        return max(self.plan.cache_bits, default=16)

    @property
    def candidates(self) -> tuple[Row, ...]:
        return self.rows[1:]


@dataclass(frozen=True, slots=True)
class Step:
    """A step for the row with this `label`: a request to a separate job process."""

    kind: StepKind
    label: str
    request: MeasureRequest | Convert | FetchDataset


def remaining(study: Study) -> Iterator[Step]:
    """Yield the remaining steps in order, without failed steps and those that depend on them."""
    original, plan = study.original, study.plan
    if _needs_reference(study):
        if study.lacks_dataset:
            yield Step("fetch", original.label, FetchDataset(original.label, plan.corpus.dataset))
        if study.reference_row.needs_conversion:
            yield Step("convert", study.reference_row.label, _conversion(study.reference_row, original))
        yield Step("reference", original.label, _reference_request(study))
    for row in study.rows:
        if row.needs_conversion and (row is not study.reference_row or study.reference_folder):
            yield Step("convert", row.label, _conversion(row, original))
        if not row.exists and not row.needs_conversion:
            continue
        yield from _fidelity(study, row)
        if plan.speed and row.speed is None and not row.has_failed("speed") and not study.is_unavailable(row):
            yield Step("speed", row.label, MeasureSpeed(id=row.label, model=row.path, plan=plan.speed))


def _needs_reference(study: Study) -> bool:
    """Return True if a remaining comparison needs predictions that are not stored."""
    rows = (row for row in study.rows if row.exists or row.needs_conversion)
    return not study.reference_folder and any(True for row in rows for _ in _fidelity(study, row))


def _fidelity(study: Study, row: Row) -> Iterator[Step]:
    if study.reference_failed or (study.reference_row.has_failed("convert") and not study.reference_folder):
        return
    for bits in study.plan.cache_bits:
        # The reference is compared with itself only if its KV cache has fewer bits.
        is_reference_itself = bits == 16 and row is study.reference_row
        if (
            is_reference_itself
            or study.is_unavailable(row)
            or row.fidelity_at(bits)
            or row.has_failed("fidelity", bits)
        ):
            continue
        request = MeasureFidelity(
            id=row.label, model=row.path, reference_folder=study.reference_folder, cache_bits=bits
        )
        yield Step("fidelity", row.label, request)


def _reference_request(study: Study) -> RecordReference:
    plan, row = study.plan, study.reference_row
    return msgspec.structs.replace(
        plan.reference_request(row.label, row.path),
        corpus=msgspec.structs.replace(plan.corpus, dataset=study.dataset or plan.corpus.dataset),
        is_stand_in=row.is_stand_in,
    )


def _conversion(row: Row, original: Row) -> Convert:
    assert row.recipe  # noqa: S101 - the caller has checked
    return Convert(id=row.label, source=original.path, target=row.path, model_id=row.label, recipe=row.recipe)


def after(study: Study, step: Step, event: msgspec.Struct) -> Study:
    """Return the study with the result of `step`; `event` is the last one of the step."""
    match event:
        case ReferenceRecorded():
            return _with_reference(study, event.reference_folder)
        case DatasetFetched(dataset=name):
            return msgspec.structs.replace(study, dataset=name)
        case Converted():
            return _with_row(study, step.label, exists=True)
        case FidelityMeasured(result=result):
            return _with_row(study, step.label, fidelity=(*_row(study, step.label).fidelity, result))
        case SpeedMeasured(result=speed):
            return _after_speed(study, step, speed)
        case _:
            return study


def _after_speed(study: Study, step: Step, speed: SpeedResult) -> Study:
    study = _with_row(study, step.label, speed=speed)
    if not speed.failures:
        return study
    return after_failure(study, step, "Not all speeds could be measured", f"{'; '.join(speed.failures)}.")


def _with_reference(study: Study, folder: str) -> Study:
    """Return the study with the stored predictions, and without results of comparisons with other predictions."""
    key = folder.rpartition("/")[2]
    rows = (
        msgspec.structs.replace(row, fidelity=tuple(result for result in row.fidelity if result.reference_key == key))
        for row in study.rows
    )
    return msgspec.structs.replace(study, reference_folder=folder, rows=tuple(rows))


def after_failure(study: Study, step: Step, title: str, message: str) -> Study:
    """Return the study with the failure of `step`."""
    bits = step.request.cache_bits if isinstance(step.request, MeasureFidelity) else 16
    failures = (*_row(study, step.label).failures, StepFailure(step.kind, title, message, bits))
    return _with_row(study, step.label, failures=failures)


def ready_to_retry(study: Study) -> Study:
    """Return the study without failures, and without disturbed or incomplete speeds, so that these steps run again."""
    return msgspec.structs.replace(study, rows=tuple(_retried(row) for row in study.rows))


def _retried(row: Row) -> Row:
    speed = row.speed
    is_complete = speed and not (speed.disturbed or speed.failures or speed.lacks_memory or row.has_failed("speed"))
    return msgspec.structs.replace(row, failures=(), speed=speed if is_complete else None)


def _row(study: Study, label: str) -> Row:
    return next(row for row in study.rows if row.label == label)


def _with_row(study: Study, label: str, **changes: object) -> Study:
    rows = (msgspec.structs.replace(row, **changes) if row.label == label else row for row in study.rows)
    return msgspec.structs.replace(study, rows=tuple(rows))
