"""Which models of a study can be looked at token by token, and of what kind each chunk of the texts is."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Study


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be chosen: one model of the study, with its context in so many bits."""

    name: str
    row: Row
    result: FidelityResult


def candidates(study: Study) -> Iterator[Candidate]:
    """Yield what was measured against the original, in the order of the study."""
    names = short_names(study)
    for row in study.rows:
        for result in row.fidelity:
            bits = "" if result.cache_bits == 16 else f", {result.cache_bits}-bit context"
            yield Candidate(f"{names[row.label]}{bits}", row, result)


def chunk_kinds(result: FidelityResult) -> list[str]:
    """Return the kind of each chunk: chunks stand in the order of their kinds."""
    return [kind for kind, found in result.by_kind.items() for _ in range(found.chunks)]
