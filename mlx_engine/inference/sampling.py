"""mlx-lm's samplers and logits processors for the user's sampling settings.

Out-of-range values must not reach MLX: an exception inside one of mlx-lm's compiled samplers leaves the thread's
random state broken until it is seeded again.
"""

import secrets
from collections import deque
from collections.abc import Callable

import mlx.core as mx
from mlx_lm.sample_utils import greedy_sampler, make_repetition_penalty
from mlx_lm.sample_utils import make_sampler as make_random_sampler

from mlx_engine.declared import check_struct
from mlx_engine.sampling import Sampling

Sampler = Callable[[mx.array], mx.array]
"""Log-probabilities (1, vocabulary) to a token (1,)."""
LogitsProcessor = Callable[[mx.array, mx.array], mx.array]
"""The tokens since the prompt, and logits (1, vocabulary), to logits."""

PENALTY_TOKENS = 64
"""The number of recent tokens that a repetition penalty covers."""

_min_temperature = 1e-3
"""Below it, scaled log-probabilities exceed the range of float16, and sampling is greedy in effect anyway."""


UNSOUND_LOGITS = (
    "produces NaN or infinite logits: its weights are damaged, or overflow in its data type. Download or convert it "
    "again."
)
"""A fault of a model: a sentence that starts with its name."""


class CheckedSampler:
    """A sampler that notices NaN and positive infinity among the logits: both make log-probabilities NaN.

    The check of a token is computed with it, and read only after it, so that decoding never waits.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._faults: deque[mx.array] = deque()

    def __call__(self, log_probabilities: mx.array) -> mx.array:
        fault = mx.isnan(log_probabilities).any()
        self._faults.append(fault)
        token = self._sampler(log_probabilities)
        return mx.where(fault, mx.array(0, token.dtype), token)

    def check(self) -> None:
        """Check the next of the sampled tokens; call it once for each.

        Raises:
            FloatingPointError: it was sampled from logits that are not numbers.
        """
        if self._faults.popleft().item():
            raise FloatingPointError(UNSOUND_LOGITS)


def make_sampler(sampling: Sampling, vocabulary_size: int) -> CheckedSampler:
    """Return a sampler, and seed the random numbers of this thread for it.

    Raises:
        InvalidParameter: a value is out of range.
    """
    check_struct(sampling)
    mx.random.seed(secrets.randbits(32) if sampling.seed is None else sampling.seed)
    if sampling.temperature < _min_temperature:
        return CheckedSampler(greedy_sampler)
    sampler = make_random_sampler(
        temp=sampling.temperature,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        # mlx-lm refuses a top_k of the whole vocabulary.
        top_k=sampling.top_k if sampling.top_k < vocabulary_size else 0,
    )
    return CheckedSampler(sampler)


def make_logits_processors(sampling: Sampling, prompt: list[int]) -> list[LogitsProcessor]:
    """Return the processors for an answer to `prompt`, whose last token is the first that the decoder sees."""
    if sampling.repetition_penalty == 1:
        return []
    penalize = make_repetition_penalty(sampling.repetition_penalty, PENALTY_TOKENS)
    before = mx.array(prompt[-PENALTY_TOKENS:-1], mx.uint32)

    def processor(tokens: mx.array, logits: mx.array) -> mx.array:
        return penalize(mx.concatenate([before, tokens.astype(mx.uint32)]), logits)  # type: ignore[no-any-return]

    return [processor]
