"""Estimates the memory that a model needs and compares it with a machine, always as a sum that can be shown.

    weights + KV cache + working memory   against   working set - reserve

All sizes are in bytes. The terms of the working memory were measured on MLX's CPU backend
(tests/benchmarks/memory_estimate.py); on Metal they are an upper bound that has not been measured yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_memory
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.layer_cache import GROWTH, LayerCache
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import CacheBits

Verdict = Literal["fits", "tight", "too large"]

USUAL_CONTEXT = 8192
"""In tokens, unless another context is requested."""
QUANTIZED_STEP = 256
"""Most tokens per prefill step with a quantized KV cache, where MLX materializes all attention scores."""
_longest_context = 2**20
_fused_heads = (64, 80, 128)
"""Head sizes whose scores Metal doesn't materialize in prefill (mlx 0.32, scaled_dot_product_attention)."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The way the engine computes. The defaults are those on a Mac.

    `number_bytes` is the size of an activation; a prefill step has at most `step_tokens`; up to `snapshots` copies of
    each sliding window and state are cached, because these can't be truncated.
    """

    number_bytes: int = 2
    keeps_packed: bool = True
    step_tokens: int = 2048
    snapshots: int = 4
    has_fused_attention: bool = True


METAL = Runtime()


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """The sum for a context of `context` tokens."""

    context: int
    weights_bytes: int
    cache_bytes: int
    work_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.weights_bytes + self.cache_bytes + self.work_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """An estimate compared with a machine; `largest_context` is the longest that fits, 0 if none does."""

    estimate: MemoryEstimate
    machine: Machine
    verdict: Verdict
    largest_context: int

    @property
    def summary(self) -> str:
        """The sum in two sentences."""
        need = self.estimate
        return (
            f"Needs {format_memory(need.total_bytes)} of {self._limits}: weights {format_memory(need.weights_bytes)}, "
            f"context ({need.context:,} tokens) {format_memory(need.cache_bytes)}, working memory "
            f"{format_memory(need.work_bytes)}. {self._reserve}"
        )

    @property
    def weights_summary(self) -> str:
        """The weights alone in two sentences, for a model whose KV cache is unknown."""
        return f"The weights need {format_memory(self.estimate.weights_bytes)} of {self._limits}. {self._reserve}"

    @property
    def _limits(self) -> str:
        return format_memory(self.machine.working_set_bytes)

    @property
    def _reserve(self) -> str:
        return f"{format_memory(self.machine.reserve_bytes)} is kept free."


def estimate(model: ModelDescription, context: int, *, cache_bits: CacheBits = 16, runtime: Runtime) -> MemoryEstimate:
    """Return the memory for `model` with a context of `context` tokens and a KV cache of `cache_bits`."""
    weights = _weights_bytes(model, runtime)
    number_bytes = _cached_number_bytes(model, cache_bits, runtime)
    cache = sum(_layer_bytes(layers, context, number_bytes, runtime) for layers in model.cache)
    return MemoryEstimate(context, weights, cache, _work_bytes(model, context, number_bytes, runtime))


def fit(model: ModelDescription, machine: Machine, *, context: int = 0, cache_bits: CacheBits = 16) -> Fit:
    """Compare `model` with `machine`, at `context` or by default at the model's own, up to `USUAL_CONTEXT`."""
    runtime = runtime_on(machine, model)
    longest = model.context_length or _longest_context
    need = estimate(model, context or min(longest, USUAL_CONTEXT), cache_bits=cache_bits, runtime=runtime)

    def fits(tokens: int) -> bool:
        total = estimate(model, tokens, cache_bits=cache_bits, runtime=runtime).total_bytes
        return total <= machine.available_bytes

    return Fit(need, machine, verdict(need, machine), _largest(fits, min(longest, _longest_context)))


def verdict(need: MemoryEstimate, machine: Machine) -> Verdict:
    """Compare the sum with the machine."""
    if need.total_bytes <= machine.available_bytes:
        return "fits"
    return "tight" if need.total_bytes <= machine.working_set_bytes else "too large"


def runtime_on(machine: Machine, model: ModelDescription) -> Runtime:
    """Return the way the engine would compute on `machine`; see `inference.load`."""
    if machine.has_metal:
        return METAL
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


def _cached_number_bytes(model: ModelDescription, cache_bits: CacheBits, runtime: Runtime) -> float:
    """Return the size of a number in the KV cache; 16 bits means the type of the activations."""
    if cache_bits == 16 or cache_precision.obstacle(model):
        return runtime.number_bytes
    # A scale and an offset for each group.
    return cache_bits / 8 + 2 * runtime.number_bytes / cache_precision.group(model.shape.head)


def _layer_bytes(layers: LayerCache, context: int, number_bytes: float, runtime: Runtime) -> int:
    """Return the size of the KV cache of all layers of one kind."""
    is_copied = bool(layers.window or layers.fixed_numbers)
    return layers.size_bytes(context, number_bytes) * (1 + runtime.snapshots * is_copied)


def _work_bytes(model: ModelDescription, context: int, number_bytes: float, runtime: Runtime) -> int:
    """Return the working memory of the largest prefill step.

    Measured terms: the scores of one layer; its old keys and values while they are moved to a larger buffer; about
    twelve vectors of the hidden width and three of the feed-forward width for each token of the step. Latent attention
    has two sets of scores, and unpacks its keys and values. Fused attention doesn't support quantized keys.
    """
    shape, is_quantized = model.shape, number_bytes != runtime.number_bytes
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
