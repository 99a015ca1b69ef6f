"""Candidates of the token view, and the kinds of their chunks."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Study


@dataclass(frozen=True, slots=True)
class Candidate:
    """A measured model of the study, with one precision of the KV cache."""

    name: str
    row: Row
    result: FidelityResult


def candidates(study: Study) -> Iterator[Candidate]:
    """Yield all results against the original, in the order of the study."""
    names = short_names(study)
    for row in study.rows:
        for result in row.fidelity:
            bits = "" if result.cache_bits == 16 else f", {result.cache_bits}-bit KV cache"
            yield Candidate(f"{names[row.label]}{bits}", row, result)


def chunk_kinds(result: FidelityResult) -> list[str]:
    """Return the kind of each chunk; chunks are sorted by kind."""
    return [kind for kind, fidelity in result.by_kind.items() for _ in range(fidelity.chunks)]
