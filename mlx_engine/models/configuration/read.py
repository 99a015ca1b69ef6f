"""Reads config.json of a model folder."""

from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.errors import BrokenModel
from mlx_engine.models.configuration.normalize import normalize

FILE_NAME = "config.json"
_generation_name = "generation_config.json"
_modelopt_name = "hf_quant_config.json"
"""NVIDIA's ModelOpt keeps its settings in a file of their own."""
_json_limit_bytes = 64 * 2**20


def read_configuration(folder: Path) -> dict[str, Any]:
    """Return the normalized configuration of the model in `folder`, with the end tokens of generation_config.json.

    Raises:
        BrokenModel: config.json, or another file that belongs to it, is missing or damaged.
        UnsupportedModel: a setting has a value whose meaning is unknown.
    """
    config = normalize(read_json(folder / FILE_NAME))
    modelopt_file = folder / _modelopt_name
    if "quantization" not in config and "quantization_config" not in config and modelopt_file.is_file():
        config["quantization_config"] = {"quant_method": "modelopt", **read_json(modelopt_file)}
    generation_file = folder / _generation_name
    ends = read_json(generation_file).get("eos_token_id") if generation_file.is_file() else None
    return config | {"eos_token_id": ends} if ends else config


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of a model folder.

    Raises:
        BrokenModel: the file is missing or damaged.
    """
    if not path.is_file():
        raise BrokenModel(f"{path.name} is missing. Download the model again.")
    if path.stat().st_size > _json_limit_bytes:
        raise BrokenModel(f"{path.name} is damaged: it is far too large. Download the model again.")
    try:
        # Some configurations contain Infinity, which JSON lacks, as text.
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{path.name} is damaged: {error}. Download the model again.") from error
