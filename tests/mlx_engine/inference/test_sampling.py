"""Sampling the next token."""

import mlx.core as mx
import pytest

from mlx_engine.errors import InvalidParameter
from mlx_engine.inference.sampling import make_logits_processors, make_sampler
from mlx_engine.sampling import Sampling

VOCABULARY = 50
LOGPROBS = mx.log(mx.softmax(mx.random.normal((1, VOCABULARY), key=mx.random.key(3)), axis=-1))


def draw(sampling: Sampling, count: int = 20) -> list[int]:
    sampler = make_sampler(sampling, VOCABULARY)
    return [int(sampler(LOGPROBS).item()) for _ in range(count)]


def test_the_same_seed_gives_the_same_tokens() -> None:
    """Without a seed they differ."""
    assert draw(Sampling(temperature=2, seed=5)) == draw(Sampling(temperature=2, seed=5))
    assert draw(Sampling(temperature=2, seed=5)) != draw(Sampling(temperature=2, seed=6))
    assert draw(Sampling(temperature=2)) != draw(Sampling(temperature=2))


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0),
        Sampling(temperature=1e-30),
        Sampling(temperature=2, top_k=1),
        Sampling(temperature=2, top_p=1e-9),
        Sampling(temperature=2, min_p=1),
    ],
)
def test_the_strictest_value_selects_the_most_likely_token(sampling: Sampling) -> None:
    """At the end of its range, each filter leaves one token."""
    assert set(draw(sampling)) == {int(mx.argmax(LOGPROBS).item())}


@pytest.mark.parametrize("top_k", [VOCABULARY - 1, VOCABULARY, VOCABULARY + 1, 1000])
def test_a_limit_above_the_vocabulary_keeps_all_tokens(top_k: int) -> None:
    """mlx-lm would fail, and break the random numbers of all later requests."""
    assert len(set(draw(Sampling(temperature=2, top_k=top_k, seed=1), 200))) > VOCABULARY // 4


def test_values_out_of_range_are_rejected_before_sampling() -> None:
    """Later samples are unaffected."""
    with pytest.raises(InvalidParameter):
        make_sampler(Sampling(min_p=1.5), VOCABULARY)
    assert len(set(draw(Sampling(temperature=2)))) > 1


def test_the_penalty_includes_the_prompt() -> None:
    """A token of the prompt becomes less likely, although the decoder reads only the last one."""
    (processor,) = make_logits_processors(Sampling(repetition_penalty=2), [7, 8, 9])
    logits = processor(mx.array([9, 4]), mx.ones((1, 12)))
    assert [index for index, logit in enumerate(logits[0].tolist()) if logit < 1] == [4, 7, 8, 9]
    assert make_logits_processors(Sampling(), [7, 8, 9]) == []


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_numbers_are_noticed_after_sound_ones(value: float, temperature: float) -> None:
    """The check of each token waits until that token is used."""
    sampler = make_sampler(Sampling(temperature=temperature), VOCABULARY)
    logits = mx.zeros((1, VOCABULARY)).at[0, 7].add(value)
    tokens = [sampler(LOGPROBS), sampler(logits - mx.logsumexp(logits))]
    mx.eval(tokens)
    sampler.check()
    with pytest.raises(FloatingPointError, match="NaN or infinite"):
        sampler.check()


def test_impossible_tokens_are_sound() -> None:
    """Minus infinity is the logit of a token that is ruled out."""
    sampler = make_sampler(Sampling(temperature=0), VOCABULARY)
    logits = mx.where(mx.arange(VOCABULARY) == 7, 0.0, -float("inf"))[None]
    assert sampler(logits - mx.logsumexp(logits)).item() == 7
    sampler.check()
