"""What a study is going to take: time, memory and room on the disk, and what of it does not fit this computer."""

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
"""Of one token at one scored position."""
_KEPT_SHARE = 0.1
"""Of all tokens, those that are kept where a sample stands for the unlikely ones. Measured with SmolLM2-135M: 0.06; the
larger the vocabulary, the less."""
_USUAL_VOCABULARY = 150_000


@dataclass(frozen=True, slots=True)
class StudyEstimate:
    """`how` says how the time is reckoned, `problem` why the study cannot be begun; then there may be nothing else."""

    time: str = ""
    how: str = ""
    memory: Fit | None = None
    """Of the model that needs most."""
    disk_bytes: int = 0
    steps: str = ""
    problem: str = ""
    is_original_too_large: bool = False
    """Whether only a stand-in could answer in the place of the original."""
    displaced: tuple[ModelDescription, ...] = ()
    """What chats have in memory now and has to make room."""


@dataclass(frozen=True, slots=True)
class StudyEstimator:
    """A study, and what is known of its models by their labels: as they are, or as recipes are going to make them."""

    study: Study
    models: Mapping[str, ModelDescription]
    machine: Machine
    tokens: int = 0
    """That are read of the text; 0 as long as that can only be guessed."""

    def forecast(self, pace: Speeds, folder: Path) -> StudyEstimate:
        """Say what it takes; what is made and kept stands on the disk of `folder`."""
        disk_bytes, too_large = self.disk_bytes(), self.too_large()
        no_room = disk_problem(folder, disk_bytes, way_out="Make room, or tick fewer recipes.")
        return StudyEstimate(
            time=format_estimate(study_seconds(self.study, pace, self._tokens)),
            how=f"Each reads {self._tokens:,} tokens. {pace.source}",
            memory=self.memory(),
            disk_bytes=disk_bytes,
            steps=self.steps(),
            problem=too_large or no_room,
            is_original_too_large=bool(too_large) and not self.study.plan.stand_in,
        )

    def too_large(self) -> str:
        """Return that the model which answers does not fit, in a sentence or two; "" if it does."""
        row = self.study.reference_row
        if row.label not in self.models:
            return ""
        found = measurement_fit(self.models[row.label], self.machine, self.study.plan.convention)
        if found.verdict != "too large":
            return ""
        name = f"The 8-bit conversion of {self.study.original.label}" if row.is_stand_in else row.label
        way_out = " Choose a smaller original." if row.is_stand_in else ""
        needed, there = found.estimate.total_bytes, self.machine.working_set_bytes
        return (
            f"{name} does not fit this computer: it needs {format_memory(needed)} of memory to be measured, and "
            f"{format_memory(there)} are there.{way_out}"
        )

    def memory(self) -> Fit | None:
        """Reckon the model that needs most; None while nothing is known of any."""
        rows = (row for row in self.study.rows if row.label in self.models and not self.study.is_out_of_reach(row))
        return max(map(self.need_of, rows), key=lambda found: found.estimate.total_bytes, default=None)

    def need_of(self, row: Row) -> Fit:
        """Reckon one model: with the chunks of the corpus, and with the longest prompt if speed is measured."""
        plan, model = self.study.plan, self.models[row.label]
        found = [measurement_fit(model, self.machine, plan.convention)]
        if plan.speed:
            longest = max((*plan.speed.prompts, *plan.speed.depths)) + plan.speed.decode_tokens
            found.append(fit(model, self.machine, context=longest))
        return max(found, key=lambda fit: fit.estimate.total_bytes)

    def disk_bytes(self) -> int:
        """Reckon what recipes make, and about what the answers take that are kept."""
        new = [self.models[row.label] for row in self.study.rows if not row.is_made and row.label in self.models]
        return sum(model.size_bytes + companions_bytes(model) for model in new) + self._answers_bytes()

    def _answers_bytes(self) -> int:
        plan = self.study.plan
        positions = self._tokens * plan.convention.scored_per_chunk // plan.convention.chunk_tokens
        vocabulary = max((model.shape.vocabulary for model in self.models.values()), default=0) or _USUAL_VOCABULARY
        return round(_ANSWER_BYTES * positions * vocabulary * (_KEPT_SHARE if plan.tail_mass else 1))

    @property
    def _tokens(self) -> int:
        return self.tokens or corpus_tokens(self.study.plan)

    def steps(self) -> str:
        """Say how many models there are."""
        made = sum(row.recipe is not None and not row.is_made for row in self.study.rows)
        models = len(self.study.rows)
        return f"{models} models, {made} of them to be made first" if made else f"{models} models"
