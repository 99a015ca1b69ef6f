"""Estimates the time of a study from speeds that were measured on this Mac, or else from defaults.

Prefill time is proportional to the number of weights, decode time to their size in bytes.
"""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mlx_engine.amounts import format_count
from mlx_engine.hub_messages import FetchDataset
from mlx_engine.measure.corpus.text_file import MAX_BYTES
from mlx_engine.measure.results.messages import CorpusSource, MeasureFidelity, MeasureSpeed
from mlx_engine.measure.results.speed_result import WARM_UP_TOKENS
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Step, Study, remaining

_BYTES_PER_TOKEN = 3.5
"""Average over the kinds of the built-in corpus."""
_DATASET_BYTES = 1_300_000
"""Size of a data set before its download: that of WikiText-2, the usual one."""
_CONVERTED_BYTES_PER_S = 1.5e8
"""Bytes of the original; a conservative default, limited by the disk."""
_PRIOR_S = 60.0
"""Weight of the estimate against the elapsed time."""
_START_S = 4.0
"""For a process to import mlx-lm and load a model."""
_SIMILAR_SIZE = 4.0
"""Up to this ratio of weights, models have comparable speeds."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """`prefill` is in weights times tokens per second, `decode` in bytes of weights per second.

    `source` is a sentence about their origin.
    """

    prefill: float
    decode: float
    source: str


def default_speeds(*, has_metal: bool) -> Speeds:
    """Return cautious defaults, below public benchmarks of the first M1."""
    source = "The time is a cautious estimate: no speed has been measured on this Mac yet."
    return Speeds(6e11, 4e10, source) if has_metal else Speeds(2e10, 4e9, source)


def speeds_from_history(studies: Iterable[Study], default: Speeds, original: Row) -> Speeds:
    """Return the median speeds of earlier studies, of models with a size like that of `original` if there are any.

    Smaller models are slower in relation to their weights, so speeds of other sizes only count above `default`.
    """
    measured = [row for study in studies for row in study.rows if _has_speeds(row)]
    similar = [row for row in measured if 1 / _SIMILAR_SIZE < _weights(row) / (_weights(original) or 1) < _SIMILAR_SIZE]
    if not measured:
        return default
    prefill, decode = (statistics.median(speeds) for speeds in zip(*map(_speeds, similar or measured), strict=True))
    source = f"The time is estimated from the speeds of {format_count(len(similar or measured), 'model')} on this Mac."
    if similar:
        return Speeds(prefill, decode, source)
    return Speeds(max(prefill, default.prefill), max(decode, default.decode), source)


def _has_speeds(row: Row) -> bool:
    return bool(row.size_bytes and row.speed and row.speed.prefill_rates and row.speed.decode_rates)


def _speeds(row: Row) -> tuple[float, float]:
    assert row.speed  # noqa: S101 - checked by _has_speeds
    return _weights(row) * row.speed.prefill_rates[0].median, row.size_bytes * row.speed.decode_rates[0].median


def corpus_tokens(plan: StudyPlan) -> int:
    """Return the approximate number of tokens that the plan reads."""
    tokens = round(_corpus_bytes(plan.corpus) / _BYTES_PER_TOKEN)
    return min(tokens, plan.limit_tokens) if plan.limit_tokens else tokens


def _corpus_bytes(corpus: CorpusSource) -> int:
    if corpus.dataset:
        return _DATASET_BYTES
    if corpus.path:
        file = Path(corpus.path)
        return min(file.stat().st_size, MAX_BYTES) if file.exists() else 0
    root, kinds = resources.files("resources") / "corpus", corpus.kinds or builtin_kinds()
    return sum(len(file.read_bytes()) for kind in kinds for file in (root / kind).iterdir() if file.is_file())


def builtin_kinds() -> tuple[str, ...]:
    """Return the kinds of the built-in corpus."""
    root = resources.files("resources") / "corpus"
    folders = (folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(("_", ".")))
    return tuple(sorted(folder.name for folder in folders if any(file.is_file() for file in folder.iterdir())))


def step_seconds(step: Step, study: Study, speeds: Speeds, tokens: int) -> float:
    """Return the estimated time of a step; `tokens` is the number of tokens of the corpus."""
    original = study.original
    weights = _weights(original) or 1
    match step.request:
        case MeasureSpeed(plan=plan):
            row = next(row for row in study.rows if row.label == step.label)
            # A longer warm-up precedes each longer prompt; the context grows from one depth to the next.
            warm_up = sum({min(tokens, WARM_UP_TOKENS) for tokens in plan.prompts})
            prefill_tokens = plan.repetitions * sum(plan.prompts) + warm_up + max(plan.depths, default=0)
            decode_tokens = plan.repetitions * plan.decode_tokens * len(plan.depths)
            size = row.size_bytes or original.size_bytes // 2
            return 2 * _START_S + prefill_tokens * weights / speeds.prefill + decode_tokens * size / speeds.decode
        case MeasureFidelity():
            return _START_S + tokens * weights / speeds.prefill
        case FetchDataset():
            return _START_S
        case _ if step.kind == "convert":
            return _START_S + original.size_bytes / _CONVERTED_BYTES_PER_S
        case _:
            return _START_S + tokens * weights / speeds.prefill


def study_seconds(study: Study, speeds: Speeds, tokens: int = 0) -> float:
    """Return the estimated time for the rest of the study; `tokens` is 0 if the number of tokens is not known yet."""
    tokens = tokens or corpus_tokens(study.plan)
    return sum(step_seconds(step, study, speeds, tokens) for step in remaining(study))


def _weights(row: Row) -> float:
    return 8 * row.size_bytes / row.bits_per_weight if row.bits_per_weight else 0.0


class Countdown:
    """Time left for a running study, corrected by the time since `start_s`, in seconds of any clock."""

    def __init__(self, study: Study, speeds: Speeds, start_s: float) -> None:
        self._speeds, self._start_s, self._tokens = speeds, start_s, corpus_tokens(study.plan)
        self._total_s = self._estimate(study)

    def left_s(self, study: Study, share: float, now_s: float) -> float:
        """Return the seconds left when `share` of the current step is done."""
        steps = list(remaining(study))
        step_s = step_seconds(steps[0], study, self._speeds, self._tokens) if steps else 0.0
        left_s = max(self._estimate(study) - share * step_s, 0.0)
        done_s, elapsed_s = self._total_s - left_s, now_s - self._start_s
        # The prior counts as time that went as estimated, so that the first steps do not change the rest too much.
        return left_s * (elapsed_s + _PRIOR_S) / (done_s + _PRIOR_S)

    def _estimate(self, study: Study) -> float:
        return study_seconds(study, self._speeds, self._tokens)
