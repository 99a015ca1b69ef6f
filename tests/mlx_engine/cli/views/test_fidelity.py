"""Tests of the text for fidelity results."""

import msgspec

from mlx_engine.cli.views.fidelity import lines, summary
from mlx_engine.measure.results.results import FidelityResult
from tests.mlx_engine.measure.charts.studies import row


def _result(name: str, kl: float) -> FidelityResult:
    (result,) = row(name, 4.5, kl, 0.12, 100.0).fidelity
    return msgspec.structs.replace(result, candidate=f"/models/maker/{name}", corpus="facet")


def test_the_verdict_comes_first() -> None:
    """At most 80 columns wide, except for the names of the models."""
    text = list(lines(_result("four", 0.0412)))
    assert "differ from the original" in text[1]
    assert max(map(len, text[1:])) <= 80
    assert any(line.startswith("  Mean KL               0.0412 ± ") for line in text)


def test_candidates_are_summarized_in_aligned_columns() -> None:
    """Under the last part of their names."""
    *_, head, first, second = summary([_result("four", 0.0412), _result("a-longer-name", 0.000123)]).splitlines()
    rows = (first, second)
    assert [line.split()[0] for line in rows] == ["four", "a-longer-name"]
    assert len({len(line) for line in (head, *rows)}) == 1
    assert len(head) <= 80


def test_a_stand_in_and_a_quantized_kv_cache_are_reported() -> None:
    text = "\n".join(lines(msgspec.structs.replace(_result("four", 0.04), is_stand_in=True, cache_bits=8)))
    assert "lower bounds" in text
    assert "8-bit KV" in text


def test_a_tiny_negative_median_is_shown_as_zero() -> None:
    """Rounding errors of a model compared with itself have both signs."""
    result = _result("same", 0.0)
    result = msgspec.structs.replace(result, fidelity=msgspec.structs.replace(result.fidelity, median_kl=-1e-7))
    assert any(line.split() == ["Median", "KL", "0", "nats"] for line in lines(result))
