"""The tensors of a model that mlx-lm loads: it drops those that a text model does not use."""

import re
from collections.abc import Mapping
from typing import Literal

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description.bit_map import LAYER
from mlx_engine.models.files.safetensors import TensorEntry

Vision = Literal["none", "present", "dropped"]
"""Vision of a model: none, present, or dropped by a conversion."""

_vision_parts = (
    r"vision_tower|vision_model|vision_encoder|visual|vit|vision_embed_tokens|multi_modal_projector|mm_projector"
    r"|multimodal_projector|embed_vision|image_newline|vision_language_adapter|vision_projection"
)
_audio_parts = r"audio_tower|audio_encoder|embed_audio|audio_projector"
_vision = re.compile(rf"(?:^|\.)(?:{_vision_parts})(?:\.|$)")
_modalities = re.compile(rf"(?:^|\.)(?:{_vision_parts}|{_audio_parts})(?:\.|$)")
_unused = re.compile(rf"(?:^|\.)(?:(?:{_vision_parts}|{_audio_parts})(?:\.|$)|mtp(?:\.|_|$)|rotary_emb\.inv_freq$)")


def loaded_tensors(tensors: Mapping[str, TensorEntry], config: Configuration) -> dict[str, TensorEntry]:
    """Return the tensors that a text model needs: without vision, audio and multi-token prediction."""
    layers = config.integer("num_hidden_layers", default=2**31)

    def is_loaded(name: str) -> bool:
        if _unused.search(name):
            return False
        layer = LAYER.search(name)
        return layer is None or int(layer[1]) < layers

    return {name: tensor for name, tensor in tensors.items() if is_loaded(name)}


def is_vision_or_audio(name: str) -> bool:
    """Return whether a tensor belongs to the vision or audio part of a model."""
    return _modalities.search(name) is not None


def vision(tensors: Mapping[str, TensorEntry], config: Configuration) -> Vision:
    """Return whether the files contain a vision part; mlx-lm itself runs only the text part."""
    if any(_vision.search(name) for name in tensors):
        return "present"
    return "dropped" if config.section("vision_config") else "none"
