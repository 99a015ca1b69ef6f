"""Model folders that can be described but not run, which is enough for tests of the window."""

import json
import struct
from pathlib import Path


def make_model(folder: Path, id: str, context_length: int = 4096, **config_values: object) -> Path:
    """Write a 16-bit model with 4,096 parameters and additional values in its config.json; return its folder."""
    path = folder / id
    path.mkdir(parents=True)
    config = {"model_type": "llama", "max_position_embeddings": context_length, "vocab_size": 64, **config_values}
    config.setdefault("intermediate_size", 64)
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_text("{}")
    header = {"model.embed_tokens.weight": {"dtype": "BF16", "shape": [64, 64], "data_offsets": [0, 8192]}}
    encoded = json.dumps(header).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + bytes(8192))
    return path
