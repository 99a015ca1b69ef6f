"""Behaviour of showing how far candidates are from their original."""

import msgspec

from mlx_engine.cli.views.fidelity import lines, summary
from mlx_engine.measure.results.results import FidelityResult
from tests.mlx_engine.measure.charts.studies import row


def _result(name: str, kl: float) -> FidelityResult:
    (found,) = row(name, 4.5, kl, 0.12, 100.0).fidelity
    return msgspec.structs.replace(found, candidate=f"/models/maker/{name}", corpus="facet")


def test_what_it_means_comes_first_and_all_fits_80_columns() -> None:
    """Under the names of both models, which may be long."""
    told = list(lines(_result("four", 0.0412)))
    assert "differ from the original" in told[1]
    assert max(map(len, told[1:])) <= 80
    assert any(line.startswith("  Mean KL               0.0412 ± ") for line in told)


def test_several_candidates_are_summed_up_in_aligned_columns() -> None:
    """By the last part of their names."""
    *_, head, first, second = summary([_result("four", 0.0412), _result("a-longer-name", 0.000123)]).splitlines()
    rows = (first, second)
    assert [line.split()[0] for line in rows] == ["four", "a-longer-name"]
    assert len({len(line) for line in (head, *rows)}) == 1
    assert len(head) <= 80


def test_a_stand_in_and_a_context_in_fewer_bits_are_told() -> None:
    """They change what the figures mean."""
    told = "\n".join(lines(msgspec.structs.replace(_result("four", 0.04), is_stand_in=True, cache_bits=8)))
    assert "lower bounds" in told
    assert "8-bit KV" in told


def test_next_to_nothing_is_not_told_as_less_than_nothing() -> None:
    """A model held against itself has divergences on both sides of 0."""
    result = _result("same", 0.0)
    result = msgspec.structs.replace(result, fidelity=msgspec.structs.replace(result.fidelity, median_kl=-1e-7))
    assert any(line.split() == ["Median", "KL", "0", "nats"] for line in lines(result))
