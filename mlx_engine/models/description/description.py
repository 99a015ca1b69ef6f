"""What is known of a model: plain values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlx_engine.models.description.cache_layout import LayerCache
from mlx_engine.models.description.loaded import Vision
from mlx_engine.models.description.size_class import SizeClass, size_class

Origin = Literal["facet", "huggingface", "lmstudio", "added"]
"""Whose folder a model lies in: Facet's own, the Hugging Face cache, LM Studio's, one that a person has added."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The widths that decide how much memory a step of work takes; 0 where unknown."""

    hidden: int = 0
    feed_forward: int = 0
    heads: int = 0
    head: int = 0
    vocabulary: int = 0


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """One model that is whole."""

    id: str
    """`<owner>/<name>`."""
    path: Path
    """The folder, or the GGUF file."""
    name: str
    """For people: "SmolLM2-135M-Instruct"."""
    architecture: str
    """`model_type` of the configuration."""
    parameters: int
    """All weights, quantized ones counted one by one; scales and biases of quantization are none."""
    bits_per_weight: float
    """The true ones: bits of all tensors, scales included, for each parameter."""
    quantization: str
    """For people: "4-bit g32", "mixed 4/8-bit g64", "mxfp4 g32", "bf16"."""
    size_bytes: int
    """Of all files in the folder."""
    context_length: int
    """In tokens; 0 if the model does not say."""
    has_chat_template: bool
    licence: str
    """"" when unknown."""
    source: str
    """"" when unknown."""
    revision: str = ""
    """The commit of `source`; "" when unknown."""
    format: Literal["safetensors", "gguf"] = "safetensors"
    obstacle: str = ""
    """Why Facet cannot chat with it as it lies there, in a sentence; "" if it can."""
    can_be_imported: bool = False
    """Whether importing it removes the obstacle."""
    can_be_converted: bool = True
    """Whether it can be made into MLX weights, as far as names, types and settings tell."""
    active_parameters: int = 0
    """Those that one token meets: all, but of a mixture of experts only the chosen ones."""
    bits: tuple[int, ...] = ()
    """In which matrices are stored, without scales, the commonest first."""
    has_thinking: bool = False
    has_tools: bool = False
    vision: Vision = "none"
    cache: tuple[LayerCache, ...] = ()
    """What the model keeps of the text it reads."""
    shape: NetworkShape = NetworkShape()
    loaded_bytes: int = 0
    """What of the weights is brought into memory."""
    loaded_half_bytes: int = 0
    """Of these, what is stored in 16-bit floats."""
    loaded_parameters: int = 0
    origin: Origin = "facet"

    @property
    def size_class(self) -> SizeClass:
        return size_class(self.parameters)

    @property
    def is_runnable(self) -> bool:
        return not self.obstacle


@dataclass(frozen=True, slots=True)
class BrokenDescription:
    """A folder that should be a model and cannot be used; `problem` is a sentence that says why."""

    id: str
    path: Path
    problem: str
    origin: Origin = "facet"

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]
