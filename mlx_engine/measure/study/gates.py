"""The candidates of a study that are within its limits, and the best among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from mlx_engine.amounts import format_disk, format_memory
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.speed_result import RateSeries
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Row, Study


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """`best` is None if no candidate passes; `obstacles` has the reasons of each that does not, by label."""

    best: Row | None
    obstacles: dict[str, tuple[str, ...]]


def judge(study: Study, gates: Gates) -> GateVerdict:
    """Judge the candidates by `gates`. A missing or unreliable measurement does not pass.

    Of two candidates with an equal preferred figure, the one closer to the original is preferred, then the smaller one.
    """
    obstacles = {row.label: tuple(_obstacles(study, row, gates)) for row in study.candidates}
    passing = [row for row in study.candidates if not obstacles[row.label]]
    return GateVerdict(
        best=min(passing, key=lambda row: _rank(study, row, gates), default=None),
        obstacles={label: reasons for label, reasons in obstacles.items() if reasons},
    )


def _obstacles(study: Study, row: Row, gates: Gates) -> Iterator[str]:
    if row.is_stand_in:
        yield "it replaces the original"
        return
    if not row.exists:
        yield f"it was not created{_because(row, 'convert')}"
        return
    if fidelity := _fidelity(study, row):
        yield from _of_fidelity(fidelity, gates)
    else:
        yield f"its fidelity was not measured{_because(row, 'fidelity')}"
    if gates.max_size_bytes is not None and row.size_bytes > gates.max_size_bytes:
        yield f"its size is {_disk(row.size_bytes)}, above {_disk(gates.max_size_bytes)}"
    yield from _of_speed(row, gates)


def _of_fidelity(fidelity: Fidelity, gates: Gates) -> Iterator[str]:
    # Every comparison is written so that NaN does not pass.
    if gates.max_mean_kl is not None and not fidelity.mean_kl <= gates.max_mean_kl:
        yield f"its mean KL is {fidelity.mean_kl:.4g}, above {gates.max_mean_kl:g}"
    if gates.max_p99_kl is not None and not fidelity.p99_kl <= gates.max_p99_kl:
        yield f"its p99 KL is {fidelity.p99_kl:.4g}, above {gates.max_p99_kl:g}"
    if gates.max_perplexity_ratio is not None:
        ratio = fidelity.perplexity / fidelity.reference_perplexity if fidelity.reference_perplexity else float("nan")
        if not ratio <= gates.max_perplexity_ratio:
            yield f"its perplexity is {ratio:.4g} times the original's, above {gates.max_perplexity_ratio:g}"
    if gates.min_top1_agreement is not None and not fidelity.top1_agreement >= gates.min_top1_agreement:
        yield f"its top-1 agreement is {100 * fidelity.top1_agreement:.4g}%, below {100 * gates.min_top1_agreement:g}%"


def _of_speed(row: Row, gates: Gates) -> Iterator[str]:
    if row.speed is None:
        limits = (gates.max_memory_bytes, gates.min_decode_tokens_per_s, gates.min_prefill_tokens_per_s)
        if gates.prefer == "fastest" or any(limit is not None for limit in limits):
            yield f"its speed was not measured{_because(row, 'speed')}"
        return
    if gates.max_memory_bytes is not None and row.speed.lacks_memory:
        yield "there was not enough memory to measure all lengths"
    elif gates.max_memory_bytes is not None and row.speed.peak_memory_bytes > gates.max_memory_bytes:
        yield f"its peak memory is {_memory(row.speed.peak_memory_bytes)}, above {_memory(gates.max_memory_bytes)}"
    if gates.prefer == "fastest" or gates.min_decode_tokens_per_s is not None:
        yield from _of_rate("decode speed", row.speed.decode, gates.min_decode_tokens_per_s)
    if gates.min_prefill_tokens_per_s is not None:
        yield from _of_rate("prefill speed", row.speed.prefill, gates.min_prefill_tokens_per_s)


def _of_rate(name: str, series: RateSeries | None, least: float | None) -> Iterator[str]:
    if series is None:
        yield f"its {name} was not measured"
    elif series.is_disturbed:
        extremes = f"{min(series.values):.4g} to {max(series.values):.4g} tok/s"
        yield f"its {name} is unreliable ({extremes}), as something else was running"
    elif least is not None and series.median < least:
        yield f"its {name} is {series.median:.4g} tok/s, below {least:g}"


_disk = partial(format_disk, is_precise=True)
_memory = partial(format_memory, is_precise=True)


def _because(row: Row, step: str) -> str:
    """Return the title of the failure of this step or of the conversion."""
    title = next((failure.title for failure in row.failures if failure.step in {step, "convert"}), "")
    return f" ({title})" if title else ""


def _fidelity(study: Study, row: Row) -> Fidelity | None:
    """Return the fidelity at the highest precision of the plan."""
    result = row.fidelity_at(study.bits)
    return result.fidelity if result else None


def _rank(study: Study, row: Row, gates: Gates) -> tuple[float, float, int]:
    """Return the sort key of a passing candidate; the best one sorts first."""
    fidelity = _fidelity(study, row)
    kl, size_bytes = fidelity.mean_kl if fidelity else 0.0, row.size_bytes
    match gates.prefer:
        case "fastest":
            series = row.speed.decode if row.speed else None
            return (-series.median if series else 0.0, kl, size_bytes)
        case "smallest":
            return (size_bytes, kl, size_bytes)
        case "closest":
            return (kl, size_bytes, size_bytes)
