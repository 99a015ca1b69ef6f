"""Contexts of a network, and rewinding them."""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import pytest

from mlx_engine.inference.context import Context
from mlx_engine.inference.load import Model

OpenModel = Callable[[str], Model]
TOKENS = [40 + (7 * index * index + index) % 300 for index in range(120)]  # more than three windows of 32

plain = ["llama"]
forgetful = ["gemma3", "lfm2", "mamba2"]


def read(network: Any, context: Context, tokens: list[int]) -> mx.array:
    """Read tokens into the context; return the logits after the last one."""
    logits = network(mx.array(tokens)[None], cache=context.layers)[0, -1]
    context.tokens += tokens
    context.evaluate()
    return logits


def close(first: mx.array, second: mx.array) -> bool:
    return bool(mx.allclose(first, second, rtol=1e-4, atol=1e-4))


@pytest.mark.parametrize("name", plain + forgetful)
def test_rewinding_to_a_snapshot_is_exact(name: str, opened: OpenModel) -> None:
    """The network continues as if it had not read any further."""
    network = opened(name).network
    context = Context.empty(network)
    read(network, context, TOKENS[:50])
    context.take_snapshot()
    read(network, context, TOKENS[50:110])
    context.rewind(network, 50)
    assert context.tokens == TOKENS[:50]
    again = read(network, context, TOKENS[60:80])
    assert close(again, read(network, Context.empty(network), TOKENS[:50] + TOKENS[60:80]))


@pytest.mark.parametrize("name", plain + forgetful)
def test_a_snapshot_can_be_used_twice(name: str, opened: OpenModel) -> None:
    """Reading on from a snapshot does not change it."""
    network = opened(name).network
    context = Context.empty(network)
    read(network, context, TOKENS[:50])
    context.take_snapshot()
    first = read(network, context, TOKENS[50:90])
    context.rewind(network, 50)
    read(network, context, TOKENS[:40])
    context.rewind(network, 50)
    assert close(first, read(network, context, TOKENS[50:90]))


@pytest.mark.parametrize("name", plain + forgetful)
def test_a_fork_does_not_change_the_original(name: str, opened: OpenModel) -> None:
    """Both continue independently."""
    network = opened(name).network
    context = Context.empty(network)
    read(network, context, TOKENS[:50])
    context.take_snapshot()
    read(network, context, TOKENS[50:90])
    fork = context.fork(network, 50)
    forked = read(network, fork, TOKENS[:30])
    assert close(forked, read(network, Context.empty(network), TOKENS[:50] + TOKENS[:30]))
    assert close(read(network, context, TOKENS[90:]), read(network, Context.empty(network), TOKENS))


def test_plain_attention_can_rewind_to_every_token(opened: OpenModel) -> None:
    """It needs no snapshots and takes none."""
    network = opened("llama").network
    context = Context.empty(network)
    read(network, context, TOKENS)
    context.take_snapshot()
    assert context.snapshots == {}
    assert [context.reachable(position) for position in (0, 1, 77, 500)] == [0, 1, 77, len(TOKENS)]


@pytest.mark.parametrize("name", forgetful)
def test_other_layers_can_rewind_only_to_snapshots(name: str, opened: OpenModel) -> None:
    """Neither full windows nor recurrent states can be trimmed."""
    network = opened(name).network
    context = Context.empty(network)
    for start in range(0, 100, 10):
        read(network, context, TOKENS[start : start + 10])
        context.take_snapshot()
    assert [context.reachable(position) for position in (99, 85, 75, 69, 65)] == [90, 80, 70, 0, 0]


def test_a_snapshot_copies_only_the_layers_that_need_it(opened: OpenModel) -> None:
    """Not the attention layers of a hybrid model."""
    network = opened("lfm2").network
    context = Context.empty(network)
    read(network, context, TOKENS)
    before = context.size_bytes
    context.take_snapshot()
    assert 0 < context.size_bytes - before < before / 2
