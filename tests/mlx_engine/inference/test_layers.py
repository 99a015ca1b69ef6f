"""Quantized KV caches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlx.core as mx
import pytest

from mlx_engine.errors import InvalidParameter, PromptTooLong
from mlx_engine.inference.cache import Cache
from mlx_engine.inference.generate import Generation
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model

OpenModel = Callable[[str], Model]
Ask = Callable[..., Any]

FIRST = "Once upon a time there was a small machine. What does the machine say to the user, and why?"
ANSWER = "The machine says that it reads a text and answers every question with a number or a word."
SECOND = "And which number does it say next, again and again, after the number 100?"
EDITED = "Forget all that: how many words are in this text?"
TOKENS = [40 + (7 * index * index + index) % 300 for index in range(600)]


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantized_cache_does_not_change_answers(bits: int, opened: OpenModel, ask: Ask) -> None:
    """The next turn, the same turn and an edit of it are answered as without a cache, and read few tokens."""
    model = opened("llama-wide")
    generation = Generation(model)
    first = ask(generation, FIRST, cache_bits=bits).statistics
    for last in (SECOND, SECOND, EDITED, EDITED):
        warm, cold = (
            ask(generator, FIRST, ANSWER, last, cache_bits=bits) for generator in (generation, Generation(model))
        )
        assert warm.text == cold.text
        assert warm.statistics.cached_tokens >= first.prompt_tokens - 20


def test_fewer_bits_take_less_memory(opened: OpenModel) -> None:
    """On the CPU numbers have 32 bits; 8 bits with a scale and bias per 32 numbers are less than a third."""
    network = opened("llama-wide").network
    sizes = {}
    for bits in (16, 8, 4):
        context, _ = Cache(network, 10**9).check_out(TOKENS, bits)
        network(mx.array(TOKENS)[None], cache=context.layers)
        context.evaluate()
        sizes[bits] = context.size_bytes
    assert sizes[8] == sizes[16] * (8 + 2) // 32
    assert sizes[4] == sizes[16] * (4 + 2) // 32


def test_precisions_are_not_mixed(opened: OpenModel, ask: Ask) -> None:
    """A conversation that continues in another precision is read again, which is explained."""
    model = opened("llama-wide")
    generation = Generation(model)
    ask(generation, FIRST)
    changed, cold = (
        ask(generator, FIRST, ANSWER, SECOND, cache_bits=4) for generator in (generation, Generation(model))
    )
    assert (changed.text, changed.statistics.cached_tokens) == (cold.text, 0)
    assert changed.reread_reason.endswith("again: they were cached in another precision")
    assert ask(generation, FIRST, ANSWER, SECOND).statistics.cached_tokens > 0


def test_a_fork_of_a_quantized_context_does_not_change_the_original(opened: OpenModel) -> None:
    """Two conversations with the same start do not overwrite each other."""
    network = opened("llama-wide").network
    cache = Cache(network, 10**9)
    context, _ = cache.check_out(TOKENS, 8)
    network(mx.array(TOKENS)[None], cache=context.layers)
    context.tokens += TOKENS
    cache.check_in(context)
    before = [mx.array(half[0]) for half in context.layers[0].keys_and_values()]
    fork, _ = cache.check_out([*TOKENS[:200], *TOKENS[299::-1]], 8)
    assert (len(fork.tokens), fork.cache_bits) == (200, 8)
    network(mx.array(TOKENS[299::-1])[None], cache=fork.layers)
    fork.evaluate()
    assert all(map(mx.array_equal, before, (half[0] for half in context.layers[0].keys_and_values())))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gemma3", "sliding window"), ("lfm2", "cache a state"), ("mamba2", "cache a state"), ("llama", "groups of 32")],
)
def test_an_unsupported_precision_is_rejected_before_any_work(
    name: str, reason: str, opened: OpenModel, ask: Ask
) -> None:
    """With a message, and the next request is answered."""
    generation = Generation(opened(name))
    with pytest.raises(InvalidParameter, match=reason):
        ask(generation, FIRST, cache_bits=8)
    assert ask(generation, FIRST).statistics.generated_tokens > 0


@pytest.mark.parametrize("name", ["gemma3", "lfm2", "mamba2", "llama"])
def test_unsupported_networks_are_detected_by_a_trial(name: str, opened: OpenModel) -> None:
    """Even without a description of the model."""
    with pytest.raises(InvalidParameter, match="Choose 16 bits"):
        Layers(opened(name).network).make(8)


def test_a_network_that_fails_with_quantized_keys_is_refused(opened: OpenModel) -> None:
    """Networks with their own attention fail in the trial, not during an answer."""
    network = opened("llama-wide").network

    class CustomCache:
        layers = network.layers

        def __call__(self, tokens: mx.array, cache: Any) -> mx.array:
            logits = network(tokens, cache=cache)
            return logits + cache[0].keys.sum()

    with pytest.raises(InvalidParameter, match="16-bit keys"):
        Layers(CustomCache()).make(8)


def test_a_selected_context_is_a_limit(opened: OpenModel, ask: Ask) -> None:
    """An answer ends there, and a longer prompt is rejected; it cannot exceed the model's maximum."""
    generation = Generation(opened("llama"))
    length = ask(generation, FIRST, max_tokens=1).statistics.prompt_tokens
    statistics = ask(generation, FIRST, max_tokens=1000, context_limit=length + 5).statistics
    assert (statistics.generated_tokens, statistics.finish_reason) == (5, "length")
    with pytest.raises(PromptTooLong, match=f"context holds {length}"):
        ask(generation, FIRST, context_limit=length)
    short = Generation(replace(opened("llama"), context_length=length + 3))
    assert ask(short, FIRST, max_tokens=1000, context_limit=9999).statistics.generated_tokens == 3
