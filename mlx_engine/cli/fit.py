"""`facet fit`: estimates whether a model fits in memory."""

from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli.model_lookup import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.memory import estimate_fit, estimate_table
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
    """Estimate whether a model fits in this Mac's memory: weights, KV cache and working memory.

    Args:
        model: Name, id or folder of a model, or a .gguf file.
        context: Context length in tokens. Default: 8,192, or the model's maximum if that is shorter.
        cache_bits: Precision of the KV cache, in bits.
        folder: Also look in this folder. Can be repeated.
        json: Write one JSON object.
    """
    description = library.find_model(roots(folder), model)
    estimate = estimate_fit(description, this_machine(), context=context, cache_bits=cache_bits)
    if json:
        write_json({"id": description.id, "cache_bits": cache_bits, **msgspec.to_builtins(estimate)})
    else:
        _print(description, estimate, cache_bits)


def _print(model: ModelDescription, fit: Fit, cache_bits: CacheBits) -> None:
    terminal.write(estimate_table(model, fit, cache_bits))
    terminal.write(f"{_verdict(fit)} {_advice(fit)}\n")
    if model.obstacle:
        terminal.note(model.obstacle + "\n")


def _verdict(fit: Fit) -> str:
    verdicts = {
        "fits": "Fits.",
        "tight": "Tight: it needs memory that should be kept free.",
        "too large": "Does not fit.",
    }
    return verdicts[fit.verdict]


def _advice(fit: Fit) -> str:
    if fit.largest_context == 0:
        return "No context length fits. Choose a model with fewer bits or parameters."
    return f"The longest context that fits is {fit.largest_context:,} tokens."
