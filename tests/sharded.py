"""Model folders whose weights lie in several files, as large ones are published."""

import json
from pathlib import Path

from mlx_engine.models.files import safetensors


def in_shards(folder: Path, count: int) -> dict[str, bytes]:
    """Return the files of a folder with one weight file, its tensors dealt out among `count` of them in their order."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith("model.safetensors")}
    weights = (folder / "model.safetensors").read_bytes()
    entries = sorted(safetensors.read_header(folder / "model.safetensors").items(), key=lambda item: item[1].offset)
    places = {}
    for number in range(count):
        name = f"model-{number + 1:05}-of-{count:05}.safetensors"
        some = dict(entries[len(entries) * number // count : len(entries) * (number + 1) // count])
        header, placed = safetensors.compose_header({key: (entry.dtype, entry.shape) for key, entry in some.items()})
        data = sorted(placed, key=lambda key: placed[key].offset)
        files[name] = header + b"".join(
            weights[some[key].offset : some[key].offset + some[key].size_bytes] for key in data
        )
        places |= dict.fromkeys(some, name)
    files["model.safetensors.index.json"] = json.dumps({"weight_map": places}).encode()
    return files
