"""Estimates the time, memory and disk space of a study, and checks that it fits on this Mac."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.lab.time_estimate import Speeds, corpus_tokens, study_seconds
from mlx_engine.amounts import format_count, format_estimate, format_memory
from mlx_engine.measure.results.memory_required import measurement_fit
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.quantize.plan.preflight import companions_bytes, disk_problem

_PREDICTION_BYTES = 2
"""Per token and scored position."""
_STORED_SHARE = 0.1
"""Share of tokens that are stored, with a sample for the unlikely ones. Measured with SmolLM2-135M: 0.06; it decreases
with the size of the vocabulary."""
_TYPICAL_VOCABULARY = 150_000


@dataclass(frozen=True, slots=True)
class StudyEstimate:
    """The cost of a study, or the `problem` that prevents its start."""

    time: str = ""
    time_basis: str = ""
    """The basis of the time estimate, as sentences."""
    memory: Fit | None = None
    """The memory of the largest model."""
    disk_bytes: int = 0
    models: str = ""
    """The number of models, as text."""
    problem: str = ""
    is_original_too_large: bool = False
    """Whether a stand-in could replace the original."""
    models_to_unload: tuple[ModelDescription, ...] = ()
    """Models of chats that have to make room."""


@dataclass(frozen=True, slots=True)
class StudyEstimator:
    """A study with the descriptions of its models by label; those of models to convert are estimates."""

    study: Study
    models: Mapping[str, ModelDescription]
    machine: Machine
    tokens: int = 0
    """Number of tokens of the text, 0 if it is not known yet."""

    def estimate(self, speeds: Speeds, folder: Path) -> StudyEstimate:
        """Estimate the study; its conversions and predictions are stored on the disk of `folder`."""
        disk_bytes, too_large = self.disk_bytes(), self.too_large()
        disk_full = disk_problem(folder, disk_bytes, way_out="Free up some space, or select fewer recipes.")
        return StudyEstimate(
            time=format_estimate(study_seconds(self.study, speeds, self._tokens)),
            time_basis=f"Evaluates {self._tokens:,} tokens per model. {speeds.source}",
            memory=self.memory(),
            disk_bytes=disk_bytes,
            models=self._describe_models(),
            problem=too_large or disk_full,
            is_original_too_large=bool(too_large) and not self.study.plan.stand_in,
        )

    def too_large(self) -> str:
        """Return a message if the reference model does not fit into memory, "" if it does."""
        row = self.study.reference_row
        if row.label not in self.models:
            return ""
        memory = measurement_fit(self.models[row.label], self.machine, self.study.plan.convention)
        if memory.verdict != "too large":
            return ""
        name = f"The 8-bit conversion of {self.study.original.label}" if row.is_stand_in else row.label
        remedy = " Choose a smaller original." if row.is_stand_in else ""
        needed, available = memory.estimate.total_bytes, self.machine.working_set_bytes
        return (
            f"{name} does not fit on this Mac: measuring it needs {format_memory(needed)} of memory, and "
            f"{format_memory(available)} are available.{remedy}"
        )

    def memory(self) -> Fit | None:
        """Return the memory for the model that needs most, None if no model is known."""
        rows = (row for row in self.study.rows if row.label in self.models and not self.study.is_unavailable(row))
        return max(map(self.row_memory, rows), key=lambda memory: memory.estimate.total_bytes, default=None)

    def row_memory(self, row: Row) -> Fit:
        """Return the memory for one model, with a chunk of the text or the longest prompt of the speed measurement."""
        plan, model = self.study.plan, self.models[row.label]
        options = [measurement_fit(model, self.machine, plan.convention)]
        if plan.speed:
            longest = max((*plan.speed.prompts, *plan.speed.depths)) + plan.speed.decode_tokens
            options.append(fit(model, self.machine, context=longest))
        return max(options, key=lambda memory: memory.estimate.total_bytes)

    def disk_bytes(self) -> int:
        """Return the approximate size of all new conversions and of the stored predictions."""
        new = [self.models[row.label] for row in self.study.rows if not row.exists and row.label in self.models]
        return sum(model.size_bytes + companions_bytes(model) for model in new) + self._prediction_bytes()

    def _prediction_bytes(self) -> int:
        plan = self.study.plan
        positions = self._tokens * plan.convention.scored_per_chunk // plan.convention.chunk_tokens
        vocabulary = max((model.shape.vocabulary for model in self.models.values()), default=0) or _TYPICAL_VOCABULARY
        return round(_PREDICTION_BYTES * positions * vocabulary * (_STORED_SHARE if plan.tail_mass else 1))

    @property
    def _tokens(self) -> int:
        return self.tokens or corpus_tokens(self.study.plan)

    def _describe_models(self) -> str:
        to_convert = sum(row.recipe is not None and not row.exists for row in self.study.rows)
        models = format_count(len(self.study.rows), "model")
        return f"{models}, {to_convert} to convert first" if to_convert else models
