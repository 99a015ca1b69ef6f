"""Which tensors of a model's files mlx-lm puts into memory: what it knows no use for in a text model it drops."""

import re
from collections.abc import Mapping
from typing import Literal

from mlx_engine.models.description.bit_map import LAYER
from mlx_engine.models.files.configuration import Configuration
from mlx_engine.models.files.safetensors import TensorEntry

Vision = Literal["none", "present", "dropped"]
"""Whether a model has eyes: no, yes, or no longer, because a conversion has left them out."""

_eyes = (
    r"vision_tower|vision_model|vision_encoder|visual|vit|vision_embed_tokens|multi_modal_projector|mm_projector"
    r"|multimodal_projector|embed_vision|image_newline|vision_language_adapter|vision_projection"
)
_ears = r"audio_tower|audio_encoder|embed_audio|audio_projector"
_vision = re.compile(rf"(?:^|\.)(?:{_eyes})(?:\.|$)")
_senses = re.compile(rf"(?:^|\.)(?:{_eyes}|{_ears})(?:\.|$)")
_unused = re.compile(rf"(?:^|\.)(?:(?:{_eyes}|{_ears})(?:\.|$)|mtp(?:\.|_|$)|rotary_emb\.inv_freq$)")


def loaded_tensors(tensors: Mapping[str, TensorEntry], config: Configuration) -> dict[str, TensorEntry]:
    """Return the tensors that a text model needs: without eyes and ears, and without prediction of several tokens."""
    layers = config.integer("num_hidden_layers", default=2**31)

    def is_loaded(name: str) -> bool:
        if _unused.search(name):
            return False
        layer = LAYER.search(name)
        return layer is None or int(layer[1]) < layers

    return {name: tensor for name, tensor in tensors.items() if is_loaded(name)}


def is_for_senses(name: str) -> bool:
    """Tell whether a tensor belongs to a model's eyes or ears."""
    return _senses.search(name) is not None


def vision(tensors: Mapping[str, TensorEntry], config: Configuration) -> Vision:
    """Return whether the model can see, as far as its files are concerned; mlx-lm itself runs text alone."""
    if any(_vision.search(name) for name in tensors):
        return "present"
    return "dropped" if config.section("vision_config") else "none"
