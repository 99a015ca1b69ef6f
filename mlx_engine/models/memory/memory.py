"""How much memory a model needs, and whether a machine has it: always as a sum that can be shown.

    weights + what is remembered of the context + space to work in   against   working set - reserve

All sizes are in bytes. The terms of the working space are measured on MLX's CPU backend
(tests/benchmarks/memory_estimate.py); on Metal they are an upper bound that nobody has measured yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_memory
from mlx_engine.models.description.cache_layout import GROWTH, LayerCache
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import CacheBits

Verdict = Literal["fits", "tight", "too large"]

USUAL_CONTEXT = 8192
"""Tokens, where nobody has asked for another context."""
QUANTIZED_STEP = 256
"""Tokens that are read at once, at most, where the context is quantized: all scores are written down then."""
_longest_context = 2**20
_fused_heads = (64, 80, 128)
"""Head sizes for which Metal reads prompts without writing all scores down (mlx 0.32, scaled_dot_product_attention)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """How the engine computes. The defaults are those on a Mac.

    Numbers have `number_bytes`; quantized weights stay packed or not; a prompt is read in steps of at most
    `step_tokens`; of what cannot be cut back, that is windows and states, at most `snapshots` copies are kept.
    """

    number_bytes: int = 2
    keeps_packed: bool = True
    step_tokens: int = 2048
    snapshots: int = 4
    has_fused_attention: bool = True


@dataclass(frozen=True, slots=True)
class Estimate:
    """The sum, for a context of so many tokens."""

    context: int
    weights_bytes: int
    cache_bytes: int
    work_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.cache_bytes + self.work_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """An estimate held against a machine; `largest_context` is the longest that fits, 0 if none does."""

    estimate: Estimate
    machine: Machine
    verdict: Verdict
    largest_context: int

    @property
    def in_words(self) -> str:
        """The sum in a sentence."""
        need, machine = self.estimate, self.machine
        return (
            f"{format_memory(need.weights_bytes)} for the weights, {format_memory(need.cache_bytes)} for "
            f"{need.context:,} tokens of context and {format_memory(need.work_bytes)} to work in make "
            f"{format_memory(need.total_bytes)}; there are {format_memory(machine.working_set_bytes)} "
            f"({machine.working_set_source}), of which {format_memory(machine.reserve_bytes)} stay in reserve."
        )


def estimate(
    model: ModelDescription, context: int, *, cache_bits: CacheBits = 16, runtime: Runtime = Runtime()
) -> Estimate:
    """Return what `model` needs for a context of so many tokens, whose keys and values have `cache_bits`."""
    weights = _weights_bytes(model, runtime)
    kept_bytes = _kept_bytes(model, cache_bits, runtime)
    remembered = sum(_layer_bytes(layers, context, kept_bytes, runtime) for layers in model.cache)
    return Estimate(context, weights, remembered, _work_bytes(model, context, kept_bytes, runtime))


def fit(
    model: ModelDescription,
    machine: Machine,
    *,
    context: int = 0,
    cache_bits: CacheBits = 16,
    runtime: Runtime = Runtime(),
) -> Fit:
    """Say whether `model` fits, at `context` or else at its own, but at most the usual one."""
    longest = model.context_length or _longest_context
    need = estimate(model, context or min(longest, USUAL_CONTEXT), cache_bits=cache_bits, runtime=runtime)

    def fits(tokens: int) -> bool:
        total = estimate(model, tokens, cache_bits=cache_bits, runtime=runtime).total_bytes
        return total <= machine.available_bytes

    return Fit(need, machine, verdict(need, machine), _largest(fits, min(longest, _longest_context)))


def verdict(need: Estimate, machine: Machine) -> Verdict:
    """Hold the sum against the machine."""
    if need.total_bytes <= machine.available_bytes:
        return "fits"
    return "tight" if need.total_bytes <= machine.working_set_bytes else "too large"


def runtime_on(machine: Machine, model: ModelDescription) -> Runtime:
    """Return how the engine would compute on `machine`; see `inference.load`."""
    if machine.has_metal:
        return Runtime()
    is_ample = 4 * model.parameters <= machine.memory_bytes // 4
    return Runtime(number_bytes=4, keeps_packed=not is_ample, step_tokens=256, has_fused_attention=False)


def _largest(fits: Callable[[int], bool], longest: int) -> int:
    """Return the largest multiple of the caches' growth, or `longest` itself, that fits."""
    if fits(longest):
        return longest
    low, high = 0, longest // GROWTH
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle * GROWTH) else (low, middle - 1)
    return low * GROWTH


def _weights_bytes(model: ModelDescription, runtime: Runtime) -> int:
    if not runtime.keeps_packed:
        return model.loaded_parameters * runtime.number_bytes
    return model.loaded_bytes + model.loaded_half_bytes * (runtime.number_bytes - 2) // 2


def _kept_bytes(model: ModelDescription, cache_bits: CacheBits, runtime: Runtime) -> float:
    """Return how many bytes a number of the context takes; 16 bits stand for the network's own numbers."""
    if cache_bits == 16 or cache_precision.obstacle(model):
        return runtime.number_bytes
    # A scale and a bias for each group.
    return cache_bits / 8 + 2 * runtime.number_bytes / cache_precision.group(model.shape.head)


def _layer_bytes(layers: LayerCache, context: int, kept_bytes: float, runtime: Runtime) -> int:
    """Return what layers of one kind keep."""
    kept = layers.size_bytes(context, kept_bytes)
    is_copied = bool(layers.window or layers.fixed_numbers)
    return kept * (1 + runtime.snapshots * is_copied)


def _work_bytes(model: ModelDescription, context: int, kept_bytes: float, runtime: Runtime) -> int:
    """Return what the widest step of reading a prompt takes.

    Measured terms: the scores of one layer; its old keys and values while they are moved to a larger place; some
    twelve vectors of the hidden width and three of the feed-forward one for each token of the step. Latent attention
    keeps two sets of scores, and unpacks its keys and values. Quantized keys are never read by the fused attention.
    """
    shape, is_quantized = model.shape, kept_bytes != runtime.number_bytes
    step = min(runtime.step_tokens, context, QUANTIZED_STEP if is_quantized else context)
    attention = [layers for layers in model.cache if layers.token_numbers]
    widest = max((layers.token_numbers * layers.reach(context) for layers in attention), default=0)
    is_latent = any(layers.kind == "latent" for layers in attention)
    is_fused = runtime.has_fused_attention and shape.head in _fused_heads and not is_latent and not is_quantized
    reach = max((layers.reach(context) + bool(layers.window) * step for layers in attention), default=0)
    scores = 0 if is_fused else (1 + is_latent) * step * reach * shape.heads
    unpacked = 2 * reach * shape.heads * shape.head if is_latent else 0
    activations = step * (12 * shape.hidden + 3 * shape.feed_forward)
    logits = 6 * shape.vocabulary
    return (widest + scores + unpacked + activations + logits) * runtime.number_bytes
