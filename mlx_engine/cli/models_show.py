"""`facet models show`: everything that is known of one model."""

from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_disk
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import model_fields, write_json
from mlx_engine.models.description.bit_map import LayerBits
from mlx_engine.models.description.cache_layout import LayerCache, bytes_per_token
from mlx_engine.models.description.describe import read_bit_map
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.library import library


def show(
    name: str,
    /,
    *,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Show what is known of a model, with the bits of its layers.

    Args:
        name: A model by name or id, a model folder or a GGUF file.
        folder: Look into this folder as well.
        json: Write one JSON object.
    """
    model = library.find_model(roots(folder), name)
    layers = read_bit_map(model.path) if model.format == "safetensors" else ()
    if json:
        write_json({**model_fields(model), "layers": layers})
        return
    facts = [*_facts(model), *_bits(layers)]
    width = max(len(label) for label, _ in facts)
    for label, value in facts:
        terminal.write(f"{label:{width}}  {value}\n")


def _facts(model: ModelDescription) -> Iterator[tuple[str, str]]:
    """Give what there is to say, line by line; what is not known is left out."""
    active = f", {model.active_parameters:,} active" if model.active_parameters != model.parameters else ""
    abilities = {"thinks": model.has_thinking, "calls tools": model.has_tools, "chat template": model.has_chat_template}
    context = f"{model.context_length:,} tokens" if model.context_length else ""
    lines = {
        "id": model.id,
        "path": str(model.path),
        "architecture": model.architecture,
        "cannot be run": model.obstacle,
        "parameters": f"{model.parameters:,}{active} ({model.size_class})",
        "quantization": f"{model.quantization}, {model.bits_per_weight:.3f} bits per weight",
        "size": format_disk(model.size_bytes),
        "context": context,
        "remembers": "; ".join(map(_layers, model.cache)),
        "each token": f"{bytes_per_token(model.cache):,} bytes of 16-bit cache" if model.cache else "",
        "abilities": ", ".join(word for word, has in abilities.items() if has),
        "vision": {"present": "present, not used", "dropped": "dropped", "none": ""}[model.vision],
        "license": model.license,
        "source": f"{model.source} {model.revision}".strip(),
    }
    return ((label, value) for label, value in lines.items() if value)


def _layers(layers: LayerCache) -> str:
    kept = {
        "full": "every token",
        "latent": "every token, compressed",
        "window": f"the last {layers.window:,} tokens",
        "state": "a state that does not grow",
    }
    return f"{layers.layers} layers keep {kept[layers.kind]}"


def _bits(layers: tuple[LayerBits, ...]) -> Iterator[tuple[str, str]]:
    """Give the bits of each layer; layers in a row that are alike share a line."""
    start = 0
    for index, row in enumerate(layers):
        if index + 1 < len(layers) and layers[index + 1].bits == row.bits and row.layer is not None:
            continue
        first, last = layers[start].layer, row.layer
        label = "outside" if last is None else f"layer {last}" if first == last else f"layers {first}-{last}"
        yield label, ", ".join(f"{name} {bits:g}" for name, bits in row.bits.items())
        start = index + 1
