"""Studies with made-up results, for tests of charts and reports."""

import math
from itertools import pairwise
from statistics import NormalDist

import msgspec

from mlx_engine.measure.results.conditions import Conditions
from mlx_engine.measure.results.kl_histogram import BIN_EDGES
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study

OWNER = "HuggingFaceTB"
BASE = "SmolLM2-135M-Instruct"
# Name, bits per weight, mean KL, top-1 disagreement, tokens per second.
FEW = (("8-bit", 8.5, 0.0011, 0.02, 140.0), ("4-bit", 4.5, 0.041, 0.14, 210.0), ("2-bit", 2.5, 1.3, 0.61, 260.0))
NINE = (
    *FEW,
    ("6-bit", 6.5, 0.0049, 0.05, 172.0),
    ("5-bit", 5.5, 0.0147, 0.08, 190.0),
    ("4-bit-g32", 5.0, 0.0251, 0.11, 202.0),
    ("balanced-4bit", 5.0, 0.0291, 0.115, 200.0),
    ("4-bit-g128", 4.25, 0.062, 0.18, 214.0),
    ("3-bit", 3.5, 0.17, 0.29, 236.0),
)
KINDS = ("prose", "dialogue", "code", "mathematics", "data", "languages")


def fidelity(kl: float, differing: float, *, perplexity: float | None = None) -> Fidelity:
    """Return a fidelity whose standard errors are a twentieth of its figures."""
    figures = dict.fromkeys(Fidelity.__struct_fields__, 0.0)
    values = {
        "positions": 4096,
        "chunks": 16,
        "mean_kl": kl,
        "mean_kl_se": kl / 20,
        "kl_error_bound": 0.0002,
        "median_kl": kl / 3,
        "p99_kl": kl / 3 * 10 ** (0.65 * 2.326),
        "perplexity": 14 * (1 + kl) if perplexity is None else perplexity,
        "perplexity_se": 0.4,
        "reference_perplexity": 14.0,
        "reference_perplexity_se": 0.4,
        "top1_agreement": 1 - differing,
        "top1_agreement_se": differing / 20,
    }
    return msgspec.convert({**figures, **values}, Fidelity, strict=False)


def spread(kl: float) -> tuple[int, ...]:
    """Return counts of 4,096 positions, log-normally distributed around a third of `kl`."""
    if not kl:
        return (4096, *(0 for _ in BIN_EDGES))
    distribution = NormalDist(math.log10(kl / 3), 0.65)
    shares = [0.0, *(distribution.cdf(math.log10(edge)) for edge in BIN_EDGES), 1.0]
    return tuple(round(4096 * (high - low)) for low, high in pairwise(shares))


def row(name: str, bits: float, kl: float, differing: float, rate: float, *, parameters: float = 134.5e6) -> Row:
    """Return a measured candidate."""
    result = FidelityResult(
        candidate=name,
        candidate_weights=name,
        reference=BASE,
        reference_weights="r",
        reference_key="a",
        corpus="facet",
        convention="chunks of 512 tokens, the second half of each scored",
        fidelity=fidelity(kl, differing),
        by_kind={kind: fidelity(kl * (0.6 + 0.25 * number), differing) for number, kind in enumerate(KINDS)},
        worst=(),
        kl_counts=spread(kl) if math.isfinite(kl) else (),
    )
    return Row(
        label=f"{OWNER}/{BASE}-{name}",
        path=name,
        size_bytes=round(parameters * bits / 8),
        bits_per_weight=bits,
        fidelity=(result,),
        speed=_speed(parameters * bits / 8, rate),
    )


def _speed(size: float, rate: float) -> SpeedResult:
    return SpeedResult(
        model="",
        weights="",
        plan=SpeedPlan(),
        load_s=(0.8, 0.3),
        prefill_rates=(RateSeries(512, (rate * 8, rate * 8.2, rate * 7.9)),),
        decode_rates=(RateSeries(0, (rate * 0.97, rate, rate * 1.02)),),
        peak_memory_bytes=round(size * 1.1 + 5e7),
        conditions=Conditions(power="AC", thermal="nominal", other_load=0.3, processors=8),
        machine="Apple M2, 16 GB",
    )


def study(rows: tuple[tuple[str, float, float, float, float], ...] = NINE, *, parameters: float = 134.5e6) -> Study:
    """Return a study of one original and these candidates."""
    original = Row(
        label=f"{OWNER}/{BASE}",
        path="original",
        is_original=True,
        size_bytes=round(parameters * 2),
        bits_per_weight=16,
        speed=_speed(parameters * 2, 88.0),
    )
    candidates = tuple(row(*figures, parameters=parameters) for figures in rows)
    return Study(plan=StudyPlan(name="study", original=original.label), rows=(original, *candidates))
