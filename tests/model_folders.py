"""Small model folders with zero weights and valid headers. MLX is not needed to write or describe them."""

import json
import shutil
from pathlib import Path
from typing import Any

from mlx_engine.models.files.safetensors import compose_header

CONFIG: dict[str, Any] = {"model_type": "llama", "max_position_embeddings": 4096}
TENSORS = {"model.embed_tokens.weight": ("BF16", (10, 64)), "model.norm.weight": ("BF16", (64,))}


def write_shard(path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]]) -> Path:
    """Write a safetensors file of zeros."""
    header, entries = compose_header(tensors)
    path.write_bytes(header + bytes(sum(entry.size_bytes for entry in entries.values())))
    return path


def write_model(folder: Path, tensors: dict[str, tuple[str, tuple[int, ...]]] | None = None, **config: Any) -> Path:
    """Write a model folder; `config` overrides CONFIG."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "tokenizer.json").write_text("{}")
    write_shard(folder / "model.safetensors", TENSORS if tensors is None else tensors)
    return folder


def write_llama(folder: Path, like: Path) -> Path:
    """Write a model with 23 million zero weights in a sparse file; other files are copied from `like`."""
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(like / name, folder)
    config = json.loads((like / "config.json").read_text())
    sizes = {"hidden_size": 1024, "intermediate_size": 1024, "num_hidden_layers": 1, "vocab_size": 16384}
    heads = {"num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 128}
    (folder / "config.json").write_text(json.dumps(config | sizes | heads))
    matrices = [*(f"self_attn.{name}_proj" for name in "qkvo"), "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]
    norms = ("layers.0.input_layernorm", "layers.0.post_attention_layernorm", "norm")
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {"model.embed_tokens.weight": ("BF16", (16384, 1024))}
    tensors |= {f"model.layers.0.{name}.weight": ("BF16", (1024, 1024)) for name in matrices}
    tensors |= {f"model.{name}.weight": ("BF16", (1024,)) for name in norms}
    header, entries = compose_header(tensors)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(header)
        file.truncate(max(entry.offset + entry.size_bytes for entry in entries.values()))
    return folder
