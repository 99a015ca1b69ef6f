"""Reads config.json of a model folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.configuration.quantizers import with_canonical_method
from mlx_engine.models.files.json_file import read_json

FILE_NAME = "config.json"
_generation_name = "generation_config.json"
_modelopt_name = "hf_quant_config.json"
_gptq_name = "quantize_config.json"
"""NVIDIA's ModelOpt, and AutoGPTQ before 0.4, keep their settings in a separate file."""


def read_configuration(folder: Path, published: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the normalized configuration of the model in `folder`, with the end tokens of all its files.

    `published` are the contents of its config.json, if they have been read.

    Raises:
        BrokenModel: config.json, or another file that belongs to it, is missing or damaged.
        UnsupportedModel: a setting has a value whose meaning is unknown.
    """
    published = read_json(folder / FILE_NAME) if published is None else published
    config = normalize(published)
    if "quantization" not in config and "quantization_config" not in config:
        config |= _separate_settings(folder)
    generation_file = folder / _generation_name
    generation = read_json(generation_file) if generation_file.is_file() else {}
    ends = _end_tokens(published, published.get("text_config"), generation)
    others = {name: value for name, value in config.items() if name != "eos_token_id"}
    return others | {"eos_token_id": ends} if ends else others


def _end_tokens(*sources: object) -> list[int]:
    """Return the end tokens in any of `sources`: published files often name some in one and others in another."""
    stated = [source.get("eos_token_id") for source in sources if isinstance(source, Mapping)]
    numbers = [number for value in stated for number in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(number for number in numbers if type(number) is int and number >= 0))


def _separate_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of a quantizer that keeps them in a separate file, as a part of config.json."""
    for name, method in ((_modelopt_name, "modelopt"), (_gptq_name, "gptq")):
        if (file := folder / name).is_file():
            return {"quantization_config": with_canonical_method({"quant_method": method, **read_json(file)})}
    return {}
