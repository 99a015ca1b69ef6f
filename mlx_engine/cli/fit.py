"""`facet fit`: says whether a model fits this machine, with the sum."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.memory import lines, reckon
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.library import library
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.models.memory.memory import Fit
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
    found = library.find_model(roots(folder), model)
    result = reckon(found, this_machine(), context=context, cache_bits=cache_bits)
    if json:
        write_json({"id": found.id, "cache_bits": cache_bits, **msgspec.to_builtins(result)})
    else:
        _print(found, result, cache_bits)


def _print(model: ModelDescription, result: Fit, cache_bits: CacheBits) -> None:
    terminal.write(lines(model, result, cache_bits))
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
