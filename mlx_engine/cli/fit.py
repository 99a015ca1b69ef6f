"""`facet fit`: says whether a model fits this machine, with the sum."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import terminal
from mlx_engine.cli.failure import UsageError
from mlx_engine.cli.json_lines import write_json
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.models import library, memory
from mlx_engine.models.description import ModelDescription
from mlx_engine.models.machine import this_machine
from mlx_engine.models.memory import Fit, size_in_words
from mlx_engine.protocol import CacheBits


def fit(
    model: str,
    /,
    *,
    context: Annotated[int, Parameter(show_default=False)] = 0,
    cache_bits: CacheBits = 16,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Say whether a model fits this machine: weights, context and space to work in, against its memory.

    Args:
        model: A model by name or id, a model folder or a GGUF file.
        context: For so many tokens; without it for 8,192, or as many as the model has.
        cache_bits: Bits in which the context is kept.
        folder: Look into this folder as well.
        json: Write one JSON object.
    """
    found = library.find_among(roots(folder), model)
    longest = found.context_length or 2**20
    if not 0 <= context <= longest:
        raise UsageError(f"--context is {context}; for {found.name} it must be from 1 to {longest:,}.")
    machine = this_machine()
    runtime = memory.runtime_on(machine, found)
    result = memory.fit(found, machine, context=context, cache_bits=cache_bits, runtime=runtime)
    if json:
        write_json({"id": found.id, "cache_bits": cache_bits, **msgspec.to_builtins(result)})
    else:
        _print(found, result, cache_bits)


def _print(model: ModelDescription, result: Fit, cache_bits: CacheBits) -> None:
    need, machine = result.estimate, result.machine
    rows = (
        ("weights", need.weights_bytes, model.quantization),
        ("context", need.cache_bytes, f"{need.context:,} tokens in {cache_bits} bits"),
        ("space to work", need.work_bytes, "at most, while a prompt is read"),
        ("together", need.total_bytes, ""),
        ("this machine", machine.working_set_bytes, machine.working_set_source),
        ("in reserve", machine.reserve_bytes, ""),
    )
    for label, size_bytes, remark in rows:
        terminal.write(f"{label:14}{size_in_words(size_bytes):>10}  {remark}".rstrip() + "\n")
    terminal.write(f"{_verdict(result)} {_way_out(result)}".strip() + "\n")
    if model.obstacle:
        terminal.note(model.obstacle + "\n")


def _verdict(result: Fit) -> str:
    return {"fits": "It fits.", "tight": "It is tight: the reserve is needed.", "too large": "It does not fit."}[
        result.verdict
    ]


def _way_out(result: Fit) -> str:
    if result.largest_context == 0:
        return "No context leaves it small enough: take one with fewer bits or parameters."
    return f"The longest context that fits is {result.largest_context:,} tokens."
