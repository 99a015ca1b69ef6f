"""From the values a person sets to mlx-lm's samplers and logits processors.

Out-of-range values must not reach MLX: an exception inside one of mlx-lm's compiled samplers leaves the thread's
random numbers broken until they are seeded again.
"""

import secrets
from collections.abc import Callable

import mlx.core as mx
from mlx_lm.sample_utils import greedy_sampler, make_repetition_penalty
from mlx_lm.sample_utils import make_sampler as make_random_sampler

from mlx_engine.sampling import Sampling, check_sampling

Sampler = Callable[[mx.array], mx.array]
"""Log-probabilities (1, vocabulary) to a token (1,)."""
LogitsProcessor = Callable[[mx.array, mx.array], mx.array]
"""The tokens read since the prompt, and logits (1, vocabulary), to logits."""

PENALTY_TOKENS = 64
"""How far back a repetition is looked for."""

_coldest = (
    1e-3  # Below it the scaled log-probabilities leave the range of float16, and nothing is left to chance anyway.
)


def make_sampler(sampling: Sampling, vocabulary_size: int) -> Sampler:
    """Return a sampler, and seed the random numbers of this thread for it.

    Raises:
        InvalidParameter: a value is out of range.
    """
    check_sampling(sampling)
    mx.random.seed(secrets.randbits(32) if sampling.seed is None else sampling.seed)
    if sampling.temperature < _coldest:
        return greedy_sampler
    sampler: Sampler = make_random_sampler(
        temp=sampling.temperature,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        # mlx-lm refuses to keep as many tokens as there are.
        top_k=sampling.top_k if sampling.top_k < vocabulary_size else 0,
    )
    return sampler


def make_logits_processors(sampling: Sampling, prompt: list[int]) -> list[LogitsProcessor]:
    """Return the processors of a reply to `prompt`, whose last token is the first that the decoder itself sees."""
    if sampling.repetition_penalty == 1:
        return []
    penalize = make_repetition_penalty(sampling.repetition_penalty, PENALTY_TOKENS)
    before = mx.array(prompt[-PENALTY_TOKENS:-1], mx.uint32)

    def processor(tokens: mx.array, logits: mx.array) -> mx.array:
        return penalize(mx.concatenate([before, tokens.astype(mx.uint32)]), logits)  # type: ignore[no-any-return]

    return [processor]
