"""Model folders with weights in several files, like those of large models."""

import json
from pathlib import Path

from mlx_engine.models.files import safetensors


def split_weights(folder: Path, count: int) -> dict[str, bytes]:
    """Return the files of a model folder, with the tensors of its only weight file split into `count` files."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith("model.safetensors")}
    weights = (folder / "model.safetensors").read_bytes()
    entries = sorted(safetensors.read_header(folder / "model.safetensors").items(), key=lambda item: item[1].offset)
    weight_map = {}
    for number in range(count):
        name = f"model-{number + 1:05}-of-{count:05}.safetensors"
        part = dict(entries[len(entries) * number // count : len(entries) * (number + 1) // count])
        header, layout = safetensors.compose_header({key: (entry.dtype, entry.shape) for key, entry in part.items()})
        order = sorted(layout, key=lambda key: layout[key].offset)
        files[name] = header + b"".join(
            weights[part[key].offset : part[key].offset + part[key].size_bytes] for key in order
        )
        weight_map |= dict.fromkeys(part, name)
    files["model.safetensors.index.json"] = json.dumps({"weight_map": weight_map}).encode()
    return files
