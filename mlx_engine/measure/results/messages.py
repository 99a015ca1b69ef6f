"""What a parent and a job process say to each other about measurements: values that travel as JSON.

parent                             job process
KeepAnswers ──────────────────────►
  ◄── AnswersUnderway … AnswersKept | RequestFailed
MeasureFidelity ──────────────────►
  ◄── FidelityUnderway … FidelityMeasured | RequestFailed
MeasureSpeed ─────────────────────►
  ◄── SpeedUnderway … SpeedMeasured | RequestFailed
ReadTokens ───────────────────────►
  ◄─────────────────── TokensRead | RequestFailed
ReadCorpus ───────────────────────►
  ◄─────────────────── CorpusRead | RequestFailed

The `id` of what asks for a measurement is what the model is called in the results. A process that is killed loses a
chunk of answers at most; what was asked is asked again, and goes on.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.results import Fidelity, FidelityResult, TopToken
from mlx_engine.measure.results.speed_result import SpeedPlan, SpeedResult
from mlx_engine.protocol import CacheBits, type_tag

TAIL_MASS = 0.01
"""For how much probability at each position a sample stands in the kept answers, unless somebody asks for another."""


class CorpusSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to measure on: the file at `path`, a data set of the Hub by its name (`models/hub/datasets.py`), the words
    in `text`, or Facet's own corpus, of which `kinds` name parts.

    Of `text` all tokens are scored, in chunks of about the same length, whatever the convention says.
    """

    path: str = ""
    dataset: str = ""
    kinds: tuple[str, ...] = ()
    text: str = ""
    private: bool = False
    """Whether nothing of the texts may stand in a report, as with past chats."""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.path, self.dataset, self.kinds, self.text))) > 1:
            raise ValueError("a corpus is a path, a dataset, kinds of Facet's own texts, or a text: one of them")


class RecordReference(msgspec.Struct, frozen=True, kw_only=True, tag="record_reference", tag_field=type_tag):
    """Let the model at the path `model` answer a corpus, and keep what it says. `limit_tokens` 0 is all of it."""

    id: str
    model: str
    corpus: CorpusSource = CorpusSource()
    convention: Convention = Convention()
    limit_tokens: int = 0
    tail_mass: float = TAIL_MASS
    is_stand_in: bool = False
    """Whether it answers in the place of an original that is too large for the machine."""


class MeasureFidelity(msgspec.Struct, frozen=True, kw_only=True, tag="measure_fidelity", tag_field=type_tag):
    """Hold the model at the path `model` against the `answers`, the folder in which they are kept."""

    id: str
    model: str
    reference_folder: str
    cache_bits: CacheBits = 16


class MeasureSpeed(msgspec.Struct, frozen=True, kw_only=True, tag="measure_speed", tag_field=type_tag):
    id: str
    model: str
    plan: SpeedPlan = SpeedPlan()


class ReadTokens(msgspec.Struct, frozen=True, kw_only=True, tag="read_tokens", tag_field=type_tag):
    """Show what was found over one chunk, token by token; `result` is the folder (`results.fidelity_folder`)."""

    id: str
    result: str
    chunk: Annotated[int, Meta(ge=0)] = 0


class ReadCorpus(msgspec.Struct, frozen=True, kw_only=True, tag="read_corpus", tag_field=type_tag):
    """See whether the model at the path `model` could answer a corpus, and how much that is. No weights are read."""

    id: str
    model: str
    corpus: CorpusSource
    convention: Convention = Convention()
    limit_tokens: int = 0


class ReferenceProgress(msgspec.Struct, frozen=True, kw_only=True, tag="reference_progress", tag_field=type_tag):
    """So many chunks are answered."""

    id: str
    done: int
    total: int
    tokens_per_s: float


class ReferenceRecorded(msgspec.Struct, frozen=True, kw_only=True, tag="reference_recorded", tag_field=type_tag):
    id: str
    reference_folder: str
    """The folder."""
    size_bytes: int
    share: float
    """Of what all log-probabilities of the scored positions would take in 16 bits."""


class FidelityProgress(msgspec.Struct, frozen=True, kw_only=True, tag="fidelity_progress", tag_field=type_tag):
    """So many chunks are compared, and this is what they say."""

    id: str
    done: int
    total: int
    so_far: Fidelity


class FidelityMeasured(msgspec.Struct, frozen=True, tag="fidelity_measured", tag_field=type_tag):
    id: str
    result: FidelityResult


class SpeedProgress(msgspec.Struct, frozen=True, kw_only=True, tag="speed_progress", tag_field=type_tag):
    """So many steps are done; `words` tells the one that is under way, `so_far` what stays if the process dies."""

    id: str
    done: int
    total: int
    words: str
    so_far: SpeedResult | None = None


class SpeedMeasured(msgspec.Struct, frozen=True, tag="speed_measured", tag_field=type_tag):
    id: str
    result: SpeedResult


class ScoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the text, and what both models would have said in its place, the likeliest first.

    The `text` is "" where a character takes several tokens and ends later.
    """

    text: str
    kl: float
    """KL(reference ‖ candidate) of the predictions of this token, in nats."""
    differs: bool
    """Whether their first choices differ."""
    probability: float
    """Of this token, with the candidate."""
    reference_probability: float
    reference: tuple[TopToken, ...]
    candidate: tuple[TopToken, ...]
    is_special: bool = False
    """Whether it is a mark of the chat format or the like, and no text."""


class TokensRead(msgspec.Struct, frozen=True, kw_only=True, tag="tokens_read", tag_field=type_tag):
    """One of `chunks` chunks. `before` is its beginning, which is read but not scored."""

    id: str
    chunk: int
    chunks: int
    kind: str
    before: str
    tokens: tuple[ScoredToken, ...]
    first_scored: int
    """The position of a `Divergence` that is the first of `tokens`."""
    first_difference: int | None
    """The first of `tokens` where the choices differ."""


class CorpusRead(msgspec.Struct, frozen=True, tag="corpus_read", tag_field=type_tag):
    """The corpus can be measured on: so many tokens of it are read, of these kinds."""

    id: str
    tokens: int
    kinds: tuple[str, ...]


MeasureRequest = RecordReference | MeasureFidelity | MeasureSpeed | ReadTokens | ReadCorpus
MeasureEvent = (
    ReferenceProgress
    | ReferenceRecorded
    | FidelityProgress
    | FidelityMeasured
    | SpeedProgress
    | SpeedMeasured
    | TokensRead
    | CorpusRead
)
PROGRESS = (ReferenceProgress, FidelityProgress, SpeedProgress)
"""The events after which more come of the same request."""
