"""`facet models show`: shows the details of a model."""

from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.model_lookup import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import model_fields, write_json
from mlx_engine.models.description.bit_map import LayerBits
from mlx_engine.models.description.describe import read_bit_map
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.layer_cache import LayerCache, bytes_per_token
from mlx_engine.models.library import library


def show(
    model: str,
    /,
    *,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Show the details of a model, with the bits of each layer.

    Args:
        model: Name, id or folder of a model, or a .gguf file.
        folder: Also look in this folder. Can be repeated.
        json: Write one JSON object.
    """
    description = library.find_model(roots(folder), model)
    layers = read_bit_map(description.path) if description.format == "safetensors" else ()
    if json:
        write_json({**model_fields(description), "layers": layers})
        return
    facts = [*_facts(description), *_bits(layers)]
    width = max(len(label) for label, _ in facts)
    for label, value in facts:
        terminal.write(f"{label:{width}}  {value}\n")


def _facts(model: ModelDescription) -> Iterator[tuple[str, str]]:
    """Yield the known facts as pairs of a label and a value."""
    active = f", {model.active_parameters:,} active" if model.active_parameters != model.parameters else ""
    capabilities = {"chat": model.has_chat_template, "thinking": model.has_thinking, "tools": model.has_tools}
    context = f"{model.context_length:,} tokens" if model.context_length else ""
    lines = {
        "ID": model.id,
        "Location": str(model.path),
        "Architecture": model.architecture,
        "Can't run": model.obstacle,
        "Note": " ".join(model.notes),
        "Parameters": f"{model.parameters:,}{active} ({model.size_class})",
        "Quantization": f"{model.quantization}, {model.bits_per_weight:.3f} bits per weight",
        "On disk": format_disk(model.size_bytes),
        "Context": context,
        "KV cache": "; ".join(map(_describe_cache, model.cache)),
        "Per token": f"{bytes_per_token(model.cache):,} bytes of 16-bit KV cache" if model.cache else "",
        "Capabilities": ", ".join(name for name, has in capabilities.items() if has),
        "Vision": {"present": "present, not used", "dropped": "dropped", "none": ""}[model.vision],
        "License": model.license,
        "Source": f"{model.source} {model.revision}".strip(),
    }
    return ((label, value) for label, value in lines.items() if value)


def _describe_cache(cache: LayerCache) -> str:
    contents = {
        "full": "all tokens",
        "latent": "all tokens, compressed",
        "window": f"the last {cache.window:,} tokens",
        "state": "a state of constant size",
    }
    return f"{format_count(cache.layers, 'layer')} with {contents[cache.kind]}"


def _bits(layers: tuple[LayerBits, ...]) -> Iterator[tuple[str, str]]:
    """Yield the bits of each layer as pairs of a label and a value; equal consecutive layers share a pair."""
    start = 0
    for index, row in enumerate(layers):
        if index + 1 < len(layers) and layers[index + 1].bits == row.bits and row.layer is not None:
            continue
        first, last = layers[start].layer, row.layer
        label = "Other" if last is None else f"Layer {last}" if first == last else f"Layers {first}-{last}"
        yield label, ", ".join(f"{name} {bits:g}" for name, bits in row.bits.items())
        start = index + 1
