"""The parameters of a network as mlx-lm builds it, before anything is quantized: plain values that travel as JSON.

`tracing.py` reads it from a model's files; all forecasts and layouts are pure functions of it and of a recipe.
"""

import math
import re

import msgspec

from mlx_engine.quantize.recipes.recipe import Format, Treatment

_number = re.compile(r"(?:^|\.)(\d{1,6})(?:\.|$)")
_embeddings = frozenset(
    {
        "embed",
        "embed_in",
        "embed_tokens",
        "embedding",
        "embeddings",
        "tok_embeddings",
        "token_embeddings",
        "word_embeddings",
        "wte",
    }
)
_heads = frozenset({"embed_out", "ff_out", "lm_head", "output", "output_linear"})


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of the network, by its whole name: "model.layers.0.self_attn.q_proj.weight"."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """As it is in the source, as safetensors names it: "BF16"."""
    can_be_quantized: bool
    """Whether its layer has a quantized form in mlx-lm; one that has not is kept."""
    can_be_cast: bool = True
    """Whether the architecture lets its type be changed."""
    wanted: Treatment | None = None
    """What mlx-lm's file of the architecture says of it, if anything."""
    stored: Format | None = None
    """The format of MLX in which its weights can stay as they are, where the source is quantized already."""

    @property
    def path(self) -> str:
        """The path of its layer, which recipes and config.json name."""
        return self.name.removesuffix(".weight")

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


class Dropped(msgspec.Struct, frozen=True):
    """Tensors of the source that the network has no place for, by the beginning of their names, and why."""

    prefix: str
    size_bytes: int
    reason: str


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A network: `parameters` in its own order."""

    architecture: str
    layers: int
    dtype: str
    """The type to which stock `mlx_lm.convert` casts, from config.json: "bfloat16"; "" if it leaves types alone."""
    parameters: tuple[Parameter, ...]
    dropped: tuple[Dropped, ...] = ()
    quantization: str = ""
    """How the source is quantized already, for people; "" if it is not."""

    def embeddings(self) -> frozenset[str]:
        """Return the paths of the matrices that turn tokens into vectors."""
        return self._outside_layers(_embeddings)

    def head(self) -> frozenset[str]:
        """Return the path of the matrix that turns vectors into tokens: where there is none, the embeddings do it."""
        return self._outside_layers(_heads) or self.embeddings()

    def _outside_layers(self, names: frozenset[str]) -> frozenset[str]:
        """Return the matrices so named that belong to no layer. The names are those of mlx-lm's architectures."""
        paths = (parameter.path for parameter in self.parameters if len(parameter.shape) > 1)
        return frozenset(path for path in paths if path.rpartition(".")[2] in names and layer_of(path) is None)


def layer_of(path: str) -> int | None:
    """Return the number of the layer: the first number in the path, as for mlx-lm; None outside of all layers."""
    match = _number.search(path)
    return int(match[1]) if match else None
