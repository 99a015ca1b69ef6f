"""Messages about measurements between a parent and its job process, sent as JSON.

parent                             job process
RecordReference ──────────────────►
  ◄── ReferenceProgress … ReferenceRecorded | RequestFailed
MeasureFidelity ──────────────────►
  ◄── FidelityProgress … FidelityMeasured | RequestFailed
MeasureSpeed ─────────────────────►
  ◄── SpeedProgress … SpeedMeasured | RequestFailed
ReadTokens ───────────────────────►
  ◄─────────────────── TokensRead | RequestFailed
ReadCorpus ───────────────────────►
  ◄─────────────────── CorpusRead | RequestFailed

The `id` of a request to measure is the model's name in the results. A process that is killed loses at most one chunk
of predictions; the same request resumes.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.results import Fidelity, FidelityResult, TopToken
from mlx_engine.measure.results.speed_result import SpeedPlan, SpeedResult
from mlx_engine.protocol import CacheBits, type_tag

TAIL_MASS = 0.01
"""Default probability per position that a sample of tokens represents in the stored predictions."""


class CorpusSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source of a corpus: the file at `path`, a data set of the Hub by name (`models/hub/datasets.py`), the pasted
    `text`, or else Facet's built-in corpus, all of it or only some `kinds`.

    All tokens of `text` are scored, in chunks of about equal length, regardless of the convention.
    """

    path: str = ""
    dataset: str = ""
    kinds: tuple[str, ...] = ()
    text: str = ""
    private: bool = False
    """Whether reports must not quote it, as for past chats."""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.path, self.dataset, self.kinds, self.text))) > 1:
            raise ValueError("a corpus has only one of path, dataset, kinds and text")


class RecordReference(msgspec.Struct, frozen=True, kw_only=True, tag="record_reference", tag_field=type_tag):
    """Run the model at the path `model` over a corpus and store its predictions. `limit_tokens` 0 means no limit."""

    id: str
    model: str
    corpus: CorpusSource = CorpusSource()
    convention: Convention = Convention()
    limit_tokens: int = 0
    tail_mass: float = TAIL_MASS
    is_stand_in: bool = False
    """Whether it replaces an original that is too large for this Mac."""


class MeasureFidelity(msgspec.Struct, frozen=True, kw_only=True, tag="measure_fidelity", tag_field=type_tag):
    """Compare the model at the path `model` with the predictions stored in `reference_folder`."""

    id: str
    model: str
    reference_folder: str
    cache_bits: CacheBits = 16


class MeasureSpeed(msgspec.Struct, frozen=True, kw_only=True, tag="measure_speed", tag_field=type_tag):
    id: str
    model: str
    plan: SpeedPlan = SpeedPlan()


class ReadTokens(msgspec.Struct, frozen=True, kw_only=True, tag="read_tokens", tag_field=type_tag):
    """Return the comparison of one chunk, token by token; `result` is the folder (`results.fidelity_folder`)."""

    id: str
    result: str
    chunk: Annotated[int, Meta(ge=0)] = 0


class ReadCorpus(msgspec.Struct, frozen=True, kw_only=True, tag="read_corpus", tag_field=type_tag):
    """Check that the model at the path `model` can read a corpus, and count its tokens. No weights are read."""

    id: str
    model: str
    corpus: CorpusSource
    convention: Convention = Convention()
    limit_tokens: int = 0


class ReferenceProgress(msgspec.Struct, frozen=True, kw_only=True, tag="reference_progress", tag_field=type_tag):
    """The number of chunks that the original has read."""

    id: str
    done: int
    total: int
    tokens_per_s: float


class ReferenceRecorded(msgspec.Struct, frozen=True, kw_only=True, tag="reference_recorded", tag_field=type_tag):
    id: str
    reference_folder: str
    size_bytes: int
    share: float
    """Size divided by that of all log-probabilities of the scored positions in 16 bits."""


class FidelityProgress(msgspec.Struct, frozen=True, kw_only=True, tag="fidelity_progress", tag_field=type_tag):
    """The number of compared chunks, and their fidelity so far."""

    id: str
    done: int
    total: int
    so_far: Fidelity


class FidelityMeasured(msgspec.Struct, frozen=True, tag="fidelity_measured", tag_field=type_tag):
    id: str
    result: FidelityResult


class SpeedProgress(msgspec.Struct, frozen=True, kw_only=True, tag="speed_progress", tag_field=type_tag):
    """The number of completed steps, and the current one as text; `so_far` survives if the process dies."""

    id: str
    done: int
    total: int
    step: str
    so_far: SpeedResult | None = None


class SpeedMeasured(msgspec.Struct, frozen=True, tag="speed_measured", tag_field=type_tag):
    id: str
    result: SpeedResult


class ScoredToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the text, and the most likely tokens of both models at its position, most likely first.

    `text` is "" for all but the last token of a multi-token character.
    """

    text: str
    kl: float
    """KL(reference ‖ candidate) of the predictions of this token, in nats."""
    differs: bool
    """Whether the most likely tokens differ."""
    probability: float
    """Of this token, by the candidate."""
    reference_probability: float
    reference: tuple[TopToken, ...]
    candidate: tuple[TopToken, ...]
    is_special: bool = False
    """Whether it is a special token, such as a mark of the chat template, rather than text."""


class TokensRead(msgspec.Struct, frozen=True, kw_only=True, tag="tokens_read", tag_field=type_tag):
    """One of `chunks` chunks. `before` is its unscored start."""

    id: str
    chunk: int
    chunks: int
    kind: str
    before: str
    tokens: tuple[ScoredToken, ...]
    first_scored: int
    """The position, as in `Divergence`, of the first of `tokens`."""
    first_difference: int | None
    """Index of the first of `tokens` where the most likely tokens differ."""


class CorpusRead(msgspec.Struct, frozen=True, tag="corpus_read", tag_field=type_tag):
    """The corpus is valid; `tokens` of it are read, of these kinds."""

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
"""Events that are followed by more for the same request."""
