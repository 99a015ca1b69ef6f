"""The parameters of a network as mlx-lm builds it, before quantization: plain values that travel as JSON.

`tracing.py` reads them from a model's files; forecasts and layouts are pure functions of an outline and a recipe.
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
    """One parameter of the network, by its full name: "model.layers.0.self_attn.q_proj.weight"."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """In the source, as safetensors names it: "BF16"."""
    can_be_quantized: bool
    """Its layer has a quantized form in mlx-lm; otherwise the parameter is kept."""
    can_be_cast: bool = True
    """The architecture allows another type."""
    prescribed: Treatment | None = None
    """The treatment that mlx-lm's file of the architecture prescribes, if any."""
    stored: Format | None = None
    """The format of MLX that holds its weights unchanged, for a source that is already quantized."""

    @property
    def path(self) -> str:
        """The path of its layer, as in recipes and config.json."""
        return self.name.removesuffix(".weight")

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


class Dropped(msgspec.Struct, frozen=True):
    """Tensors of the source that the network does not use, by the prefix of their names, with the reason."""

    prefix: str
    size_bytes: int
    reason: str


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A network; `parameters` are in its order."""

    architecture: str
    layers: int
    dtype: str
    """The type to which `mlx_lm.convert` casts, from config.json: "bfloat16"; "" if it keeps types."""
    parameters: tuple[Parameter, ...]
    dropped: tuple[Dropped, ...] = ()
    quantization: str = ""
    """The quantization of the source, as the library shows it; "" if it is not quantized."""

    def embeddings(self) -> frozenset[str]:
        """Return the paths of the matrices that turn tokens into vectors."""
        return self._outside_layers(_embeddings)

    def head(self) -> frozenset[str]:
        """Return the path of the output head, or of the embeddings where they are tied to it."""
        return self._outside_layers(_heads) or self.embeddings()

    def _outside_layers(self, names: frozenset[str]) -> frozenset[str]:
        """Return the matrices outside of layers with one of these names, taken from mlx-lm's architectures."""
        paths = (parameter.path for parameter in self.parameters if len(parameter.shape) > 1)
        return frozenset(path for path in paths if path.rpartition(".")[2] in names and layer_of(path) is None)


def layer_of(path: str) -> int | None:
    """Return the number of the layer: the first number in the path, as for mlx-lm; None outside of all layers."""
    match = _number.search(path)
    return int(match[1]) if match else None
