"""What is asked before a load, in words: plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_memory
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.memory import Fit
from mlx_engine.models.memory.memory_sum import Alternatives, terms
from mlx_engine.protocol import CacheBits

NOT_RECKONED = "What other programs hold is not in this sum: the system makes room where it can, and becomes slow."


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sum. A `total` is what the lines above it make, or what it is held against."""

    label: str
    size: str
    remark: str
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A button and what it does. `kind`: the way out, the way on nevertheless, or a place to look for another model."""

    text: str
    take: Callable[[], object]
    kind: Literal["out", "anyway", "elsewhere"] = "out"


@dataclass(frozen=True, slots=True)
class LoadQuestion:
    """Asked in the page; whoever answers takes one of the `ways` or gives up."""

    title: str
    message: str
    ways: tuple[Way, ...]
    lines: tuple[Line, ...] = ()
    footnote: str = ""


def too_large(model: ModelDescription, found: Fit, bits: CacheBits, ways: Sequence[Way]) -> LoadQuestion:
    """Return the question about a model that does not fit."""
    need, machine = found.estimate, found.machine
    lacking = format_memory(need.total_bytes - machine.available_bytes)
    message = (
        f"It needs {format_memory(need.total_bytes)}; this machine has {format_memory(machine.available_bytes)} for "
        f"models, {lacking} too little. Loaded nevertheless, it may be slow, or end in the middle of an answer."
    )
    return LoadQuestion(
        f"{model.name} does not fit this machine", message, tuple(ways), lines(model, found, bits), NOT_RECKONED
    )


def lines(model: ModelDescription, found: Fit, bits: CacheBits) -> tuple[Line, ...]:
    """Return the sum as it is shown."""
    return tuple(
        Line(term.label, format_memory(term.size_bytes), term.remark, term.is_total)
        for term in terms(model, found, bits)
    )


def ways_in_words(ways: Alternatives, change: Callable[..., object]) -> list[Way]:
    """Return a button for each way out; `change` takes what it changes by name: context, cache_bits or model."""
    found = []
    if (context := ways.context) > 0:
        found.append(Way(f"Use {context:,} tokens", lambda: change(context=context)))
    if (bits := ways.cache_bits) is not None:
        found.append(Way(f"Use a{'n' if bits == 8 else ''} {bits}-bit context", lambda: change(cache_bits=bits)))
    if (model := ways.model) is not None:
        found.append(Way(f"Use {model.name}", lambda: change(model=model.id)))
    return found
