"""Prefill in steps."""

from collections.abc import Callable

import pytest

from mlx_engine.inference.context import Context
from mlx_engine.inference.load import Model
from mlx_engine.inference.prefill import Reader

OpenModel = Callable[[str], Model]
TOKENS = [40 + (7 * index * index + index) % 300 for index in range(1000)]


def never() -> bool:
    return False


def test_steps_grow_while_they_are_fast(opened: OpenModel) -> None:
    """The first one is short, so that slow machines can cancel early; later prompts start with long ones."""
    network = opened("llama").network
    reader = Reader(network)
    first, second = (
        list(reader.read(Context.empty(network), TOKENS, boundaries=(), is_cancelled=never)) for _ in range(2)
    )
    assert first[0] == 32
    assert first[-1] == second[-1] == len(TOKENS)
    assert second[0] > first[0]


@pytest.mark.parametrize("name", ["gemma3", "mamba2"])
def test_a_step_ends_at_each_boundary(name: str, opened: OpenModel) -> None:
    """A snapshot is taken there."""
    network = opened(name).network
    context = Context.empty(network)
    ends = list(Reader(network).read(context, TOKENS, boundaries=(7, 500), is_cancelled=never))
    assert {7, 500} < set(ends)
    assert [context.reachable(position) for position in (499, 999)] == [7, 500]


def test_cancellation_keeps_the_tokens_read_so_far(opened: OpenModel) -> None:
    """The last progress equals the number of tokens in the context."""
    network = opened("llama").network
    context, ends = Context.empty(network), []
    ends.extend(Reader(network).read(context, TOKENS, boundaries=(), is_cancelled=lambda: len(context.tokens) > 90))
    assert context.tokens == TOKENS[: ends[-1]]
    assert context.layers[0].offset == ends[-1] < len(TOKENS)
