"""How long the steps of a study take: reckoned from speeds that were measured on this machine, or else from guesses.

Reading costs what a network has weights, writing what its folder has bytes; both are taken to grow in proportion.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mlx_engine.hub_messages import FetchDataset
from mlx_engine.measure.corpus.text_file import MAX_BYTES
from mlx_engine.measure.results.messages import CorpusSource, MeasureFidelity, MeasureSpeed
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Step, Study, remaining

_BYTES_PER_TOKEN = 3.5
"""Of text, on average over the kinds."""
_DATASET_BYTES = 1_300_000
"""Of a text of the Hub that may not be here yet; WikiText-2, which is most asked for, has so many."""
_CONVERTED_PER_S = 1.5e8
"""Bytes of the original; a guess, bounded by the disk."""
_TRUSTED_S = 60.0
"""For how long, in seconds, a reckoned time is trusted more than what has really passed."""
_START_S = 4.0
"""Of a process that imports mlx-lm and loads a model."""
_WARM_UP_TOKENS = 512
"""Of a prompt, before its speed is measured: `speed.py`."""
_ALIKE = 4.0
"""Models whose weights are no more times those of another, or of which, keep about the same pace."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Weights times tokens a second while reading, bytes of weights a second while writing; `source` is a sentence that
    says whence.
    """

    reading: float
    writing: float
    source: str


def default_speeds(*, has_metal: bool) -> Speeds:
    """Return a careful guess, below what public benchmarks of the first M1 show."""
    source = "The time is a cautious guess: no speed has been measured on this computer yet."
    return Speeds(6e11, 4e10, source) if has_metal else Speeds(2e10, 4e9, source)


def speeds_from_history(studies: Iterable[Study], otherwise: Speeds, original: Row) -> Speeds:
    """Return the pace that the speeds in earlier studies show, of models about as large as `original` if there are any.

    The smaller a model, the slower it is for its weights: of other sizes, only a pace above `otherwise` counts.
    """
    measured = [row for study in studies for row in study.rows if _tells_pace(row)]
    alike = [row for row in measured if 1 / _ALIKE < _weights(row) / (_weights(original) or 1) < _ALIKE]
    if not measured:
        return otherwise
    reading, writing = (statistics.median(paces) for paces in zip(*map(_pace, alike or measured), strict=True))
    source = f"The time follows from the speeds of {len(alike or measured)} models that were measured here."
    if alike:
        return Speeds(reading, writing, source)
    return Speeds(max(reading, otherwise.reading), max(writing, otherwise.writing), source)


def _tells_pace(row: Row) -> bool:
    return bool(row.size_bytes and row.speed and row.speed.prefill_rates and row.speed.decode_rates)


def _pace(row: Row) -> tuple[float, float]:
    assert row.speed  # noqa: S101 - the caller has looked
    return _weights(row) * row.speed.prefill_rates[0].median, row.size_bytes * row.speed.decode_rates[0].median


def corpus_tokens(plan: StudyPlan) -> int:
    """Return about how many tokens the plan reads."""
    there = round(_corpus_bytes(plan.corpus) / _BYTES_PER_TOKEN)
    return min(there, plan.limit_tokens) if plan.limit_tokens else there


def _corpus_bytes(corpus: CorpusSource) -> int:
    if corpus.dataset:
        return _DATASET_BYTES
    if corpus.path:
        file = Path(corpus.path)
        return min(file.stat().st_size, MAX_BYTES) if file.exists() else 0
    root = resources.files("resources") / "corpus"
    kinds = [
        folder for folder in root.iterdir() if folder.is_dir() and folder.name in (corpus.kinds or builtin_kinds())
    ]
    return sum(len(file.read_bytes()) for folder in kinds for file in folder.iterdir() if file.is_file())


def builtin_kinds() -> tuple[str, ...]:
    """Return the parts of Facet's own corpus that have texts."""
    root = resources.files("resources") / "corpus"
    folders = (folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(("_", ".")))
    return tuple(sorted(folder.name for folder in folders if any(file.is_file() for file in folder.iterdir())))


def step_seconds(step: Step, study: Study, pace: Speeds, tokens: int) -> float:
    """Return about how long a step takes; `tokens` are those of the corpus."""
    original = study.original
    weights = _weights(original) or 1
    match step.request:
        case MeasureSpeed(plan=plan):
            row = next(row for row in study.rows if row.label == step.label)
            # A warm-up before each prompt; the context grows from one depth to the next.
            warm_up = sum(min(tokens, _WARM_UP_TOKENS) for tokens in plan.prompts)
            read = plan.repetitions * sum(plan.prompts) + warm_up + max(plan.depths, default=0)
            written = plan.repetitions * plan.decode_tokens * len(plan.depths)
            size = row.size_bytes or original.size_bytes // 2
            return 2 * _START_S + read * weights / pace.reading + written * size / pace.writing
        case MeasureFidelity():
            return _START_S + tokens * weights / pace.reading
        case FetchDataset():
            return _START_S
        case _ if step.kind == "convert":
            return _START_S + original.size_bytes / _CONVERTED_PER_S
        case _:
            return _START_S + tokens * weights / pace.reading


def study_seconds(study: Study, pace: Speeds, tokens: int = 0) -> float:
    """Return about how long the rest of the study takes; `tokens` are those of the corpus, 0 if they are not known."""
    tokens = tokens or corpus_tokens(study.plan)
    return sum(step_seconds(step, study, pace, tokens) for step in remaining(study))


def _weights(row: Row) -> float:
    return 8 * row.size_bytes / row.bits_per_weight if row.bits_per_weight else 0.0


class Countdown:
    """What is left of a study that runs, corrected by how long its steps have really taken since `begun`, in seconds
    of any clock.
    """

    def __init__(self, study: Study, pace: Speeds, begun: float) -> None:
        self._pace, self._begun, self._tokens = pace, begun, corpus_tokens(study.plan)
        self._whole = self._left(study)

    def left_s(self, study: Study, share: float, now: float) -> float:
        """Return the seconds that are left when so large a share of the present step is done."""
        steps = list(remaining(study))
        present = step_seconds(steps[0], study, self._pace, self._tokens) if steps else 0.0
        left = max(self._left(study) - share * present, 0.0)
        done, passed = self._whole - left, now - self._begun
        # What was reckoned counts like a minute that went as expected, so that the first steps do not tell too much.
        return left * (passed + _TRUSTED_S) / (done + _TRUSTED_S)

    def _left(self, study: Study) -> float:
        return sum(step_seconds(step, study, self._pace, self._tokens) for step in remaining(study))
