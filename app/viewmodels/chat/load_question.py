"""Questions before a load, as plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_memory
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.memory import Fit
from mlx_engine.models.memory.memory_sum import Alternatives, terms
from mlx_engine.protocol import CacheBits

MEMORY_FOOTNOTE = "Memory used by other apps is not included. macOS frees memory when it can, and may become slow."


@dataclass(frozen=True, slots=True)
class MemoryLine:
    """A line of the memory estimate. `is_total` marks the sum and the available memory."""

    label: str
    size: str
    remark: str
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class LoadOption:
    """A button. `kind`: it makes the model fit, loads it anyway, or leads elsewhere."""

    text: str
    choose: Callable[[], object]
    kind: Literal["out", "anyway", "elsewhere"] = "out"


@dataclass(frozen=True, slots=True)
class LoadQuestion:
    """A question on the chat page, answered by one of the `options` or canceled."""

    title: str
    message: str
    options: tuple[LoadOption, ...]
    lines: tuple[MemoryLine, ...] = ()
    footnote: str = ""


def too_large(model: ModelDescription, memory: Fit, bits: CacheBits, options: Sequence[LoadOption]) -> LoadQuestion:
    """Return the question about a model that exceeds the memory."""
    estimate, machine = memory.estimate, memory.machine
    missing = format_memory(estimate.total_bytes - machine.available_bytes)
    needed, available = format_memory(estimate.total_bytes), format_memory(machine.available_bytes)
    message = (
        f"It needs {needed}, {missing} more than the {available} available for models. "
        "If you load it anyway, it may be slow or stop mid-answer."
    )
    return LoadQuestion(
        f"Not enough memory for {model.name}",
        message,
        tuple(options),
        memory_lines(model, memory, bits),
        MEMORY_FOOTNOTE,
    )


def memory_lines(model: ModelDescription, memory: Fit, bits: CacheBits) -> tuple[MemoryLine, ...]:
    """Return the lines of the memory estimate."""
    return tuple(
        MemoryLine(term.label, format_memory(term.size_bytes), term.remark, term.is_total)
        for term in terms(model, memory, bits)
    )


def load_options(ways: Alternatives, change: Callable[..., object]) -> list[LoadOption]:
    """Return an option for each way to make the model fit; `change` takes context, cache_bits or model by name."""
    options = []
    if (context := ways.context) > 0:
        options.append(LoadOption(f"Use a Context of {context:,} Tokens", lambda: change(context=context)))
    if (bits := ways.cache_bits) is not None:
        options.append(
            LoadOption(f"Use a{'n' if bits == 8 else ''} {bits}-bit KV cache", lambda: change(cache_bits=bits))
        )
    if (model := ways.model) is not None:
        options.append(LoadOption(f"Use {model.name}", lambda: change(model=model.id)))
    return options
