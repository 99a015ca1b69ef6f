"""Test data for the token view: a study, texts, and fake replies."""

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import OnReply
from mlx_engine.engine.values.job_messages import JobRequest
from mlx_engine.measure.results.messages import (
    FidelityMeasured,
    MeasureFidelity,
    ReadTokens,
    RecordReference,
    ReferenceProgress,
    ReferenceRecorded,
    ScoredToken,
    TokensRead,
)
from mlx_engine.measure.results.results import Divergence, Fidelity, FidelityResult, TopToken
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.protocol import RequestFailed

KINDS = ("prose", "code")
CHUNKS = 2
"""Chunks per kind."""
FLIPS = (1, 4)
"""Default flips of a text."""
TOKEN_TEXTS = (" boats", " do", " not", " like", " the", " storm")


def fidelity(**changes: float) -> Fidelity:
    """Return typical figures of a 4-bit conversion."""
    typical = Fidelity(
        positions=1000,
        chunks=CHUNKS,
        mean_kl=0.043,
        mean_kl_se=0.002,
        kl_error_bound=1e-4,
        median_kl=0.01,
        p90_kl=0.1,
        p95_kl=0.2,
        p99_kl=0.7,
        p999_kl=2,
        max_kl=3,
        perplexity=12.3,
        perplexity_se=0.4,
        reference_perplexity=11.9,
        reference_perplexity_se=0.4,
        log_perplexity_ratio=0.03,
        log_perplexity_ratio_se=0.01,
        rms_probability_change=0.05,
        top1_agreement=0.851,
        top1_agreement_se=0.004,
        flips=149,
        top5_overlap=0.8,
    )
    return Fidelity(**{name: getattr(typical, name) for name in typical.__struct_fields__} | changes)


def result(candidate: str, **changes: object) -> FidelityResult:
    """Return a result of `candidate`, with a worst place in the last chunk."""
    worst = Divergence(
        chunk=3,
        position=12,
        kind="code",
        kl=3.1,
        before="The boats do",
        true=" not",
        reference=(TopToken(" not", 0.9, is_true=True),),
        candidate=(TopToken(" so", 0.8),),
    )
    values: dict[str, object] = {
        "candidate": candidate,
        "candidate_weights": f"{candidate}-weights",
        "reference": "maker/Whale",
        "reference_weights": "whale-weights",
        "reference_key": "key",
        "corpus": "facet",
        "convention": "chunks of 512 tokens",
        "fidelity": fidelity(),
        "by_kind": dict.fromkeys(KINDS, fidelity()),
        "worst": (worst,),
        "machine": "Apple M3",
        "created": "2026-11-23T10:00:00+00:00",
    }
    return FidelityResult(**(values | changes))  # type: ignore[arg-type]


def study(*names: str) -> Study:
    """Return a study with results of these models."""
    rows = [Row(label=f"maker/{name}", path=f"/models/{name}", fidelity=(result(f"maker/{name}"),)) for name in names]
    plan = StudyPlan(name="boats", original="maker/Whale", candidates=names or ("none",))
    return Study(plan=plan, rows=(Row(label="maker/Whale", path="/models/Whale", is_original=True), *rows))


def token(text: str, *, kl: float = 0.002, differs: bool = False) -> ScoredToken:
    """Return a token; if it is a flip, the candidate prefers "so"."""
    true, other = TopToken(text, 0.6, is_true=True), TopToken(" so", 0.3)
    return ScoredToken(
        text=text,
        kl=kl,
        differs=differs,
        probability=0.25 if differs else 0.55,
        reference_probability=0.6,
        reference=(true, other),
        candidate=(other, TopToken(text, 0.25, is_true=True)) if differs else (true, other),
    )


def read(*tokens: ScoredToken, id: str = "", chunk: int = 0, before: str = "Small", first: int = 10) -> TokensRead:
    """Return a text as sent by a job process."""
    tokens = tokens or tuple(
        token(word, kl=1.2 if number in FLIPS else 0.002, differs=number in FLIPS)
        for number, word in enumerate(TOKEN_TEXTS)
    )
    flips = (number for number, token in enumerate(tokens) if token.differs)
    return TokensRead(
        id=id,
        chunk=chunk,
        chunks=len(KINDS) * CHUNKS,
        kind=KINDS[chunk // CHUNKS],
        before=before,
        tokens=tokens,
        first_scored=first,
        first_difference=next(flips, None),
    )


class FakeLab(QObject):
    """Provides one study."""

    changed = Signal()

    def __init__(self, study: Study | None) -> None:
        super().__init__()
        self.study = study
        self.running = ""

    def show_study(self, study: Study | None) -> None:
        self.study = study
        self.changed.emit()


class TokenAnswers:
    """Fake of `Questions`. Answers at once, or on `answer` if it `is_patient`; with `failure` if set."""

    def __init__(self) -> None:
        self.requests: list[JobRequest] = []
        self.failure = ""
        self.is_patient = False
        self.tokens: tuple[ScoredToken, ...] = ()
        self.before = "Small"
        self._on_reply: OnReply | None = None

    def ask(self, request: JobRequest, on_reply: OnReply, *, latest_only: bool = False) -> None:
        self.requests.append(request)
        self._on_reply = on_reply
        if not self.is_patient:
            self.answer()

    def answer(self) -> None:
        """Answer the last request, unless it was dropped."""
        if self._on_reply is None:
            return
        request, on_reply = self.requests[-1], self._on_reply
        if self.failure:
            on_reply(RequestFailed(id=request.id, error="StorageError", title="It failed", message=self.failure))
            return
        match request:
            case ReadTokens(chunk=chunk):
                on_reply(read(*self.tokens, id=request.id, chunk=chunk, before=self.before))
            case RecordReference():
                on_reply(ReferenceProgress(id=request.id, done=1, total=1, tokens_per_s=100))
                on_reply(
                    ReferenceRecorded(id=request.id, reference_folder="/references/pasted", size_bytes=1, share=0.1)
                )
            case MeasureFidelity():
                on_reply(FidelityMeasured(request.id, result(request.id, corpus="pasted text", reference_key="own")))

    def close(self) -> None:
        self._on_reply = None
