"""Text parts of multimodal models that were saved on their own, of which mlx-lm runs only the whole."""

from collections.abc import Mapping
from typing import Any

_wholes: Mapping[str, str] = {
    "gemma3n_text": "gemma3n",
    "qwen2_5_vl_text": "qwen2_5_vl",
    "qwen2_vl_text": "qwen2_vl",
    "qwen3_5_moe_text": "qwen3_5_moe",
    "qwen3_5_text": "qwen3_5",
    "qwen3_vl_moe_text": "qwen3_vl_moe",
    "qwen3_vl_text": "qwen3_vl",
}
_of_the_whole = frozenset(
    {
        *("architectures", "transformers_version", "dtype", "torch_dtype", "tie_word_embeddings"),
        *("bos_token_id", "eos_token_id", "pad_token_id"),
        *("quantization", "quantization_config", "compression_config"),
    }
)
"""Fields that apply to the whole model."""


_mlx_names: Mapping[str, str] = {"lfm2_vl": "lfm2-vl"}
"""Wholes with another name in mlx-lm, which some repositories have too."""


def as_whole(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a text part as that of a whole without vision and audio; others as they are."""
    architecture = str(config.get("model_type"))
    if architecture in _mlx_names:
        return config | {"model_type": _mlx_names[architecture]}
    whole = _wholes.get(architecture)
    if whole is None:
        return config
    shared = {name: value for name, value in config.items() if name in _of_the_whole}
    text = {name: value for name, value in config.items() if name not in _of_the_whole}
    return {**shared, "model_type": whole, "text_config": text}
