"""The parts of the estimate, and ways to reduce it."""

from dataclasses import replace

import pytest

from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.layer_cache import LayerCache
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import fit
from mlx_engine.models.memory.memory_sum import Alternatives, alternatives, terms
from tests.mlx_engine.models.memory.test_memory import MODEL, WINDOW, machine

LONG = 65_536
SMALLER = replace(MODEL, id="o/m-3bit", bits_per_weight=3.5, loaded_bytes=3_500_000_000)
SMALLEST = replace(MODEL, id="o/m-2bit", bits_per_weight=2.5, loaded_bytes=2_500_000_000)
OTHER = replace(MODEL, id="o/n", architecture="qwen3", parameters=9_000_000_000, loaded_bytes=1_000_000_000)


def _alternatives(model: ModelDescription, here: Machine, **values: object) -> Alternatives:
    return alternatives(model, here, **{"context": LONG, "cache_bits": 16, **values})  # type: ignore[arg-type]


def test_three_terms_add_up_to_the_fourth() -> None:
    """Weights, context and working memory are the required memory; the other two describe the machine."""
    result = terms(MODEL, fit(MODEL, machine(16), context=LONG, cache_bits=8), 8)
    assert sum(term.size_bytes for term in result[:3]) == result[3].size_bytes
    assert result[1].remark == "65,536 tokens, 8-bit KV cache"
    assert result[4].size_bytes == 16 * 2**30


def test_suggestions_fit() -> None:
    """A shorter context, and fewer bits for the same context."""
    here = machine(12)
    assert fit(MODEL, here, context=LONG).verdict == "too large"
    result = _alternatives(MODEL, here)
    assert 0 < result.context < LONG
    assert fit(MODEL, here, context=result.context).verdict == "fits"
    assert result.cache_bits in (8, 4)
    assert fit(MODEL, here, context=LONG, cache_bits=result.cache_bits).verdict == "fits"


def test_no_context_shorter_than_the_conversation_is_suggested() -> None:
    """Nor one that is too short for any."""
    assert _alternatives(MODEL, machine(12), used_tokens=LONG - 1).context == 0
    assert _alternatives(MODEL, machine(4)).context == 0


def test_no_unsupported_bits_are_suggested() -> None:
    assert _alternatives(replace(MODEL, cache=(WINDOW, *MODEL.cache)), machine(12)).cache_bits is None


@pytest.mark.parametrize(
    ("others", "best"),
    [
        ([MODEL, SMALLEST, OTHER], SMALLEST),
        ([SMALLEST, SMALLER, OTHER], SMALLER),
        ([OTHER], OTHER),
        ([MODEL], None),
        ([replace(SMALLER, loaded_bytes=9 * 10**9)], None),
    ],
)
def test_another_model_is_suggested(others: list[ModelDescription], best: ModelDescription | None) -> None:
    """The same network with the most bits that fit, or else the largest other model."""
    assert _alternatives(replace(MODEL, loaded_bytes=7 * 10**9), machine(6), context=2048, others=others).model == best


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, ""),
        ({"cache": (WINDOW,)}, "window"),
        ({"cache": (LayerCache("state", 1, 0, 0, 99),)}, "state"),
        ({"cache": (LayerCache("latent", 1, 99),)}, "compresses"),
        ({"architecture": "gemma2"}, "16-bit"),
        ({"shape": replace(MODEL.shape, head=80)}, "80 numbers wide"),
        ({"shape": replace(MODEL.shape, head=0)}, "unknown"),
    ],
)
def test_a_model_that_needs_16_bits_has_a_reason(changed: dict[str, object], word: str) -> None:
    """Others have none."""
    result = cache_precision.obstacle(replace(MODEL, **changed))  # type: ignore[arg-type]
    assert word in result
    assert bool(result) == bool(changed)
