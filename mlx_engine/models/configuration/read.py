"""Reads config.json of a model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.files.json_file import read_json

FILE_NAME = "config.json"
_generation_name = "generation_config.json"
_modelopt_name = "hf_quant_config.json"
"""NVIDIA's ModelOpt keeps its settings in a file of their own."""


def read_configuration(folder: Path, published: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the normalized configuration of the model in `folder`, with the end tokens of generation_config.json.

    `published` are the contents of its config.json, if they have been read.

    Raises:
        BrokenModel: config.json, or another file that belongs to it, is missing or damaged.
        UnsupportedModel: a setting has a value whose meaning is unknown.
    """
    config = normalize(read_json(folder / FILE_NAME) if published is None else published)
    modelopt_file = folder / _modelopt_name
    if "quantization" not in config and "quantization_config" not in config and modelopt_file.is_file():
        config["quantization_config"] = {"quant_method": "modelopt", **read_json(modelopt_file)}
    generation_file = folder / _generation_name
    ends = read_json(generation_file).get("eos_token_id") if generation_file.is_file() else None
    return config | {"eos_token_id": ends} if ends else config
