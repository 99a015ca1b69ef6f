"""Which candidate of a study passes its gates, and which of those wins."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.measure.plan import Aim, Gates
from mlx_engine.measure.study import Row, Study
from mlx_engine.models.memory import size_in_words


@dataclass(frozen=True, slots=True)
class Judgement:
    """`winner` is None if no candidate passes; `obstacles` says why not, by the label of each that does not."""

    winner: Row | None
    obstacles: dict[str, tuple[str, ...]]


def judge(study: Study, gates: Gates) -> Judgement:
    """Hold the candidates against `gates`. What was not measured does not pass."""
    obstacles = {row.label: tuple(_obstacles(row, gates)) for row in study.candidates}
    passing = [row for row in study.candidates if not obstacles[row.label]]
    return Judgement(
        winner=min(passing, key=lambda row: _rank(row, gates.prefer), default=None),
        obstacles={label: found for label, found in obstacles.items() if found},
    )


def _obstacles(row: Row, gates: Gates) -> Iterator[str]:
    found = row.fidelity_at(16)
    if found is None:
        yield "its fidelity was not measured"
    else:
        kl, agreement = found.fidelity.mean_kl, found.fidelity.top1_agreement
        if gates.max_mean_kl is not None and kl > gates.max_mean_kl:
            yield f"its KL is {kl:.4f}, above {gates.max_mean_kl:g}"
        if gates.min_top1_agreement is not None and agreement < gates.min_top1_agreement:
            yield f"it agrees in {agreement:.1%}, below {gates.min_top1_agreement:.1%}"
    if gates.max_size_bytes is not None and row.size_bytes > gates.max_size_bytes:
        yield f"its size is {size_in_words(row.size_bytes)}, above {size_in_words(gates.max_size_bytes)}"
    needs_speed = gates.max_memory_bytes is not None or gates.prefer == "fastest"
    if row.speed is None:
        if needs_speed:
            yield "its speed was not measured"
    elif needs_speed and row.speed.disturbed and gates.prefer == "fastest":
        yield "something else was running while its speed was measured"
    elif gates.max_memory_bytes is not None and row.speed.peak_memory_bytes > gates.max_memory_bytes:
        peak = size_in_words(row.speed.peak_memory_bytes)
        yield f"it took {peak} of memory, above {size_in_words(gates.max_memory_bytes)}"


def _rank(row: Row, aim: Aim) -> float:
    match aim:
        case "fastest":
            return -row.speed.decoding[0].median if row.speed and row.speed.decoding else 0.0
        case "smallest":
            return row.size_bytes
        case "closest":
            found = row.fidelity_at(16)
            return found.fidelity.mean_kl if found else 0.0
