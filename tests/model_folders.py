"""Small model folders of zeros, whole as far as headers tell; no MLX is needed to write or to describe them."""

import json
from pathlib import Path
from typing import Any

from mlx_engine.models.safetensors import compose_header

CONFIG: dict[str, Any] = {"model_type": "llama", "max_position_embeddings": 4096}
TENSORS = {"model.embed_tokens.weight": ("BF16", (10, 64)), "model.norm.weight": ("BF16", (64,))}


def write_shard(path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]]) -> Path:
    """Write a safetensors file of zeros."""
    header, places = compose_header(tensors)
    path.write_bytes(header + bytes(sum(place.size_bytes for place in places.values())))
    return path


def write_model(folder: Path, tensors: dict[str, tuple[str, tuple[int, ...]]] | None = None, **config: Any) -> Path:
    """Write a whole model folder, with `config` on top of CONFIG."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "tokenizer.json").write_text("{}")
    write_shard(folder / "model.safetensors", TENSORS if tensors is None else tensors)
    return folder
