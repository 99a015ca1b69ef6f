"""The sum of a model's memory in the terminal, and the question before a load that does not fit."""

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


def reckon(model: ModelDescription, machine: Machine, *, context: int, cache_bits: CacheBits) -> Fit:
    """Return the sum for `model`.

    Raises:
        UsageError: the model has no such context, or cannot keep it in so few bits.
    """
    longest = model.context_length or 2**20
    if not 0 <= context <= longest:
        raise UsageError(f"--context is {context}; for {model.name} it must be from 1 to {longest:,}.")
    if cache_bits != 16 and (obstacle := cache_precision.obstacle(model)):
        raise UsageError(f"--cache-bits is {cache_bits}; for {model.name} it must be 16. {obstacle}")
    return fit(model, machine, context=context, cache_bits=cache_bits)


def lines(model: ModelDescription, found: Fit, bits: CacheBits) -> str:
    """Return the sum as a table."""
    return "".join(
        f"{term.label:14}{format_memory(term.size_bytes):>10}  {term.remark}".rstrip() + "\n"
        for term in terms(model, found, bits)
    )


def require_room(
    model: ModelDescription,
    machine: Machine,
    *,
    context: int,
    cache_bits: CacheBits,
    confirm: Callable[[], bool] | None = None,
) -> None:
    """Show the sum of a model that does not fit, and go on only if the person `confirm`s; None asks nobody.

    Raises:
        UsageError: as `reckon` does.
        OutOfMemory: it does not fit, and nobody wants it nevertheless.
    """
    found = reckon(model, machine, context=context, cache_bits=cache_bits)
    if found.verdict == "too large":
        terminal.note(lines(model, found, cache_bits))
        if confirm is None or not confirm():
            raise OutOfMemory(f"{model.name} does not fit this machine. {_ways(model, found, cache_bits)}")


def asked_on_terminal() -> bool:
    """Ask whether to load nevertheless; anything but yes is no."""
    sys.stderr.write("It does not fit this machine, which may become slow or end programs. Load it anyway? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _ways(model: ModelDescription, found: Fit, bits: CacheBits) -> str:
    ways = alternatives(model, found.machine, context=found.estimate.context, cache_bits=bits)
    choices = [f"--context {ways.context}"] if ways.context else []
    choices += [f"--cache-bits {ways.cache_bits}"] if ways.cache_bits else []
    smaller = "a model with fewer bits or parameters"
    return (
        f"Use {', '.join(choices)} or {smaller}; --load-anyway loads it."
        if choices
        else (f"Use {smaller}; --load-anyway loads it nevertheless.")
    )
