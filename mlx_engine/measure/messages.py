"""What a parent and a job process say to each other about measurements: values that travel as JSON.

parent                             job process
KeepAnswers ──────────────────────►
  ◄── AnswersUnderway … AnswersKept | JobFailed
MeasureFidelity ──────────────────►
  ◄── FidelityUnderway … FidelityMeasured | JobFailed
MeasureSpeed ─────────────────────►
  ◄── SpeedUnderway … SpeedMeasured | JobFailed

A process that is killed loses a chunk of answers at most; what was asked is asked again, and goes on.
"""

import msgspec

from mlx_engine.measure.convention import Convention
from mlx_engine.measure.results import Fidelity, FidelityResult
from mlx_engine.measure.speed_result import SpeedPlan, SpeedResult
from mlx_engine.protocol import CacheBits, type_tag

TAIL_MASS = 1e-4
"""How much probability the kept answers leave out at each position, unless somebody asks for another."""


class CorpusChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to measure on: the file at `path`, or Facet's own corpus, of which `kinds` name parts."""

    path: str = ""
    kinds: tuple[str, ...] = ()


class KeepAnswers(msgspec.Struct, frozen=True, kw_only=True, tag="keep_answers", tag_field=type_tag):
    """Let the model at the path `model` answer a corpus, and keep what it says. `limit_tokens` 0 is all of it."""

    id: str
    model: str
    corpus: CorpusChoice = CorpusChoice()
    convention: Convention = Convention()
    limit_tokens: int = 0
    tail_mass: float = TAIL_MASS


class MeasureFidelity(msgspec.Struct, frozen=True, kw_only=True, tag="measure_fidelity", tag_field=type_tag):
    """Hold the model at the path `model` against the `answers`, the folder in which they are kept."""

    id: str
    model: str
    answers: str
    cache_bits: CacheBits = 16


class MeasureSpeed(msgspec.Struct, frozen=True, kw_only=True, tag="measure_speed", tag_field=type_tag):
    id: str
    model: str
    plan: SpeedPlan = SpeedPlan()


class AnswersUnderway(msgspec.Struct, frozen=True, kw_only=True, tag="answers_underway", tag_field=type_tag):
    """So many chunks are answered."""

    id: str
    done: int
    total: int
    tokens_per_s: float


class AnswersKept(msgspec.Struct, frozen=True, kw_only=True, tag="answers_kept", tag_field=type_tag):
    id: str
    answers: str
    """The folder."""
    size_bytes: int
    share: float
    """Of what all log-probabilities of the scored positions would take in 16 bits."""


class FidelityUnderway(msgspec.Struct, frozen=True, kw_only=True, tag="fidelity_underway", tag_field=type_tag):
    """So many chunks are compared, and this is what they say."""

    id: str
    done: int
    total: int
    so_far: Fidelity


class FidelityMeasured(msgspec.Struct, frozen=True, tag="fidelity_measured", tag_field=type_tag):
    id: str
    result: FidelityResult


class SpeedUnderway(msgspec.Struct, frozen=True, kw_only=True, tag="speed_underway", tag_field=type_tag):
    """So many figures are there; `words` tells the last one."""

    id: str
    done: int
    total: int
    words: str


class SpeedMeasured(msgspec.Struct, frozen=True, tag="speed_measured", tag_field=type_tag):
    id: str
    result: SpeedResult


MeasureRequest = KeepAnswers | MeasureFidelity | MeasureSpeed
MeasureEvent = AnswersUnderway | AnswersKept | FidelityUnderway | FidelityMeasured | SpeedUnderway | SpeedMeasured
UNDERWAY = (AnswersUnderway, FidelityUnderway, SpeedUnderway)
"""The events after which more come of the same request."""
