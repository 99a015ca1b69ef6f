"""Memory estimate of a model in the terminal, and the confirmation before a load that does not fit."""

import sys
from collections.abc import Callable

from mlx_engine.amounts import format_memory
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.errors import OutOfMemory
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.models.memory.memory_sum import alternatives, terms
from mlx_engine.protocol import CacheBits


def estimate_fit(model: ModelDescription, machine: Machine, *, context: int, cache_bits: CacheBits) -> Fit:
    """Return the memory estimate of `model`; `context` is in tokens, 0 for the default.

    Raises:
        UsageError: the model does not support this context length or KV cache precision.
    """
    longest = model.context_length or 2**20
    if not 0 <= context <= longest:
        raise UsageError(f"--context is {context}; for {model.name} it must be from 1 to {longest:,}.")
    if cache_bits != 16 and (obstacle := cache_precision.obstacle(model)):
        raise UsageError(f"--cache-bits is {cache_bits}; for {model.name} it must be 16. {obstacle}")
    return fit(model, machine, context=context, cache_bits=cache_bits)


def estimate_table(model: ModelDescription, memory: Fit, bits: CacheBits) -> str:
    """Return the terms of the estimate, one per line."""
    return "".join(
        f"{term.label:14}{format_memory(term.size_bytes):>10}  {term.remark}".rstrip() + "\n"
        for term in terms(model, memory, bits)
    )


def require_fit(
    model: ModelDescription,
    machine: Machine,
    *,
    context: int,
    cache_bits: CacheBits,
    confirm: Callable[[], bool] | None = None,
) -> None:
    """Show the estimate of a model that does not fit, and return only if the user confirms; without `confirm`, refuse.

    Raises:
        UsageError: as for `estimate_fit`.
        OutOfMemory: the model does not fit, and loading it was not confirmed.
    """
    memory = estimate_fit(model, machine, context=context, cache_bits=cache_bits)
    if memory.verdict == "too large":
        terminal.note(estimate_table(model, memory, cache_bits))
        if confirm is None or not confirm():
            raise OutOfMemory(f"{model.name} does not fit in memory. {_suggest(model, memory, cache_bits)}")


def confirm_on_terminal() -> bool:
    """Ask whether to load the model anyway; anything but yes means no."""
    sys.stderr.write(
        "The model does not fit in memory: your Mac may slow down, or other apps may quit. Load it anyway? [y/N] "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _suggest(model: ModelDescription, memory: Fit, bits: CacheBits) -> str:
    fitting = alternatives(model, memory.machine, context=memory.estimate.context, cache_bits=bits)
    choices = [f"--context {fitting.context}"] if fitting.context else []
    choices += [f"--cache-bits {fitting.cache_bits}"] if fitting.cache_bits else []
    options = " or ".join([*choices, "a model with fewer bits or parameters"])
    return f"Use {options}. To load it anyway, add --load-anyway."
