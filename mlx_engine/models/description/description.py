"""The description of a model, as plain values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlx_engine.models.description.layer_cache import LayerCache
from mlx_engine.models.description.loaded import Vision
from mlx_engine.models.description.size_class import SizeClass, size_class

Origin = Literal["facet", "huggingface", "lmstudio", "added"]
"""The owner of the folder: Facet, the Hugging Face cache, LM Studio, or a folder that the user added."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The dimensions that determine the working memory; 0 where unknown."""

    hidden: int = 0
    feed_forward: int = 0
    heads: int = 0
    head: int = 0
    vocabulary: int = 0


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A complete model."""

    id: str
    """`<owner>/<name>`."""
    path: Path
    """The folder, or the GGUF file."""
    name: str
    """The display name, such as "SmolLM2-135M-Instruct"."""
    architecture: str
    """`model_type` of the configuration."""
    parameters: int
    """The number of weights, quantized or not; scales and biases of quantization do not count."""
    bits_per_weight: float
    """Bits of all tensors, including scales, per parameter."""
    quantization: str
    """The display form, such as "4-bit g32", "mixed 4/8-bit g64", "mxfp4 g32", "bf16"."""
    size_bytes: int
    """Of all files in the folder."""
    context_length: int
    """In tokens; 0 if the model does not declare it."""
    has_chat_template: bool
    license: str
    """"" when unknown."""
    source: str
    """"" when unknown."""
    revision: str = ""
    """The commit of `source`; "" when unknown."""
    format: Literal["safetensors", "gguf"] = "safetensors"
    obstacle: str = ""
    """The reason, as a sentence, why Facet cannot run the model in its present form; "" if it can."""
    notes: tuple[str, ...] = ()
    """Other facts about its files and its network that matter, as sentences."""
    can_be_imported: bool = False
    """True if importing it removes the obstacle."""
    can_be_converted: bool = True
    """True if it can be converted to MLX weights, judging by names, types and settings."""
    active_parameters: int = 0
    """The parameters used per token: all of them, or in a mixture of experts those of the active experts."""
    bits: tuple[int, ...] = ()
    """The bits of the matrices, without scales, the most common first."""
    has_thinking: bool = False
    has_tools: bool = False
    vision: Vision = "none"
    cache: tuple[LayerCache, ...] = ()
    """The layers of the KV cache."""
    shape: NetworkShape = NetworkShape()
    loaded_bytes: int = 0
    """The bytes of the weights that are loaded into memory."""
    loaded_half_bytes: int = 0
    """The part of `loaded_bytes` stored as 16-bit floats."""
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
    """A folder that looks like a model but cannot be used; `problem` is the reason, as a sentence."""

    id: str
    path: Path
    problem: str
    origin: Origin = "facet"

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]
