"""The forecast of a study: time, memory and disk space, and why it does not fit this Mac."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.lab.time_estimate import Speeds, corpus_tokens, study_seconds
from mlx_engine.amounts import format_estimate, format_memory
from mlx_engine.measure.results.memory_required import measurement_fit
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.quantize.plan.preflight import companions_bytes, disk_problem

_ANSWER_BYTES = 2
"""The size of one stored prediction: one token at one scored position."""
_STORED_SHARE = 0.1
"""The share of tokens whose predictions are stored if the tail is sampled. Measured with SmolLM2-135M: 0.06; it shrinks
with the size of the vocabulary."""
_USUAL_VOCABULARY = 150_000


@dataclass(frozen=True, slots=True)
class StudyEstimate:
    """`how` explains the time estimate. With a `problem`, the study cannot start, and the other fields may be empty."""

    time: str = ""
    how: str = ""
    memory: Fit | None = None
    """The memory of the largest model."""
    disk_bytes: int = 0
    steps: str = ""
    problem: str = ""
    is_original_too_large: bool = False
    """True if only a stand-in could replace the original."""
    displaced: tuple[ModelDescription, ...] = ()
    """Models of chats that are unloaded when the study starts."""


@dataclass(frozen=True, slots=True)
class StudyEstimator:
    """A study, and the descriptions of its models by label; those of future conversions are forecasts."""

    study: Study
    models: Mapping[str, ModelDescription]
    machine: Machine
    tokens: int = 0
    """The tokens of the text; 0 to estimate them."""

    def forecast(self, pace: Speeds, folder: Path) -> StudyEstimate:
        """Return the forecast; conversions and stored predictions go to the disk of `folder`."""
        disk_bytes, too_large = self.disk_bytes(), self.too_large()
        no_room = disk_problem(folder, disk_bytes, way_out="Free up some space, or select fewer recipes.")
        return StudyEstimate(
            time=format_estimate(study_seconds(self.study, pace, self._tokens)),
            how=f"Evaluates {self._tokens:,} tokens per model. {pace.source}",
            memory=self.memory(),
            disk_bytes=disk_bytes,
            steps=self.steps(),
            problem=too_large or no_room,
            is_original_too_large=bool(too_large) and not self.study.plan.stand_in,
        )

    def too_large(self) -> str:
        """Return the reason, as one or two sentences, why the reference does not fit; "" if it does."""
        row = self.study.reference_row
        if row.label not in self.models:
            return ""
        memory = measurement_fit(self.models[row.label], self.machine, self.study.plan.convention)
        if memory.verdict != "too large":
            return ""
        name = f"The 8-bit conversion of {self.study.original.label}" if row.is_stand_in else row.label
        way_out = " Choose a smaller original." if row.is_stand_in else ""
        needed, available = memory.estimate.total_bytes, self.machine.working_set_bytes
        return (
            f"{name} doesn't fit this Mac: measuring it needs {format_memory(needed)} of memory, and "
            f"{format_memory(available)} are available.{way_out}"
        )

    def memory(self) -> Fit | None:
        """Return the memory of the largest model; None if no model is known."""
        rows = (row for row in self.study.rows if row.label in self.models and not self.study.is_out_of_reach(row))
        return max(map(self.memory_of, rows), key=lambda memory: memory.estimate.total_bytes, default=None)

    def memory_of(self, row: Row) -> Fit:
        """Return the memory of one model: for chunks of the corpus, and for the longest prompt of a speed test."""
        plan, model = self.study.plan, self.models[row.label]
        fits = [measurement_fit(model, self.machine, plan.convention)]
        if plan.speed:
            longest = max((*plan.speed.prompts, *plan.speed.depths)) + plan.speed.decode_tokens
            fits.append(fit(model, self.machine, context=longest))
        return max(fits, key=lambda fit: fit.estimate.total_bytes)

    def disk_bytes(self) -> int:
        """Return the bytes of all conversions, plus an estimate of the stored predictions."""
        new = [self.models[row.label] for row in self.study.rows if not row.is_made and row.label in self.models]
        return sum(model.size_bytes + companions_bytes(model) for model in new) + self._reference_bytes()

    def _reference_bytes(self) -> int:
        plan = self.study.plan
        positions = self._tokens * plan.convention.scored_per_chunk // plan.convention.chunk_tokens
        vocabulary = max((model.shape.vocabulary for model in self.models.values()), default=0) or _USUAL_VOCABULARY
        return round(_ANSWER_BYTES * positions * vocabulary * (_STORED_SHARE if plan.tail_mass else 1))

    @property
    def _tokens(self) -> int:
        return self.tokens or corpus_tokens(self.study.plan)

    def steps(self) -> str:
        """Return the number of models, and of conversions."""
        conversions = sum(row.recipe is not None and not row.is_made for row in self.study.rows)
        models = len(self.study.rows)
        return f"{models} models, {conversions} of them to convert first" if conversions else f"{models} models"
