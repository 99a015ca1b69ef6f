"""Small conversions in the form that Facet writes: a model folder with a `facet.json` that describes its origin."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.models.description import provenance
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.models.files.safetensors import compose_header
from mlx_engine.quantize.recipes.builtin import recipe

BASE = "maker/Whale-1B"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write_conversion(folder: Path, *, megabytes: float = 0.1, **fields: Any) -> Path:
    """Write a 4-bit conversion with random weights; `fields` override those of its facet.json."""
    folder.mkdir(parents=True)
    rows = max(1, int(megabytes * 1e6) // 36)
    tensors = {
        "lm_head.weight": ("U32", (rows, 8)),
        "lm_head.scales": ("BF16", (rows, 1)),
        "lm_head.biases": ("BF16", (rows, 1)),
    }
    header, entries = compose_header(tensors)
    size_bytes = sum(entry.size_bytes for entry in entries.values())
    (folder / "model.safetensors").write_bytes(header + os.urandom(size_bytes))
    quantization = {"group_size": 64, "bits": 4, "mode": "affine"}
    config = {"model_type": "llama", "max_position_embeddings": 4096, "quantization": quantization}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"name_or_path": "/Users/ada/whale", "eos_token": "</s>"}))
    (folder / "notes.txt").write_text("my own notes")
    values = {
        "source": BASE,
        "revision": COMMIT,
        "license": "apache-2.0",
        "recipe": "Converted by the recipe 4bit.",
        "settings": msgspec.to_builtins(recipe("4bit")),
        "files_sha256": {"model.safetensors": "ab" * 32},
        "created": "2026-01-02T03:04:05+00:00",
        "tools": {"facet": "0.1", "mlx": "0.32"},
    }
    provenance.write(folder, Provenance(**(values | fields)))
    return folder
