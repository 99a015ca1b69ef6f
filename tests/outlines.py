"""Outlines of networks, as mlx-lm would build them, without files or MLX."""

from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.recipes.recipe import Treatment


def matrix(name: str, *shape: int, prescribed: Treatment | None = None) -> Parameter:
    """Return a weight matrix that can be quantized."""
    return Parameter(name=f"{name}.weight", shape=shape, dtype="BF16", can_be_quantized=True, prescribed=prescribed)


def plain(name: str, *shape: int, dtype: str = "BF16") -> Parameter:
    """Return a parameter that cannot be quantized; `name` is its full name."""
    return Parameter(name=name, shape=shape, dtype=dtype, can_be_quantized=False)


def dense(*, layers: int = 16, hidden: int = 128, feed_forward: int = 256, is_tied: bool = False) -> Outline:
    """Return a Llama network with a vocabulary of 96 tokens."""
    body = [matrix for layer in range(layers) for matrix in _layer(f"model.layers.{layer}", hidden, feed_forward)]
    head = [] if is_tied else [matrix("lm_head", 96, hidden)]
    parameters = (matrix("model.embed_tokens", 96, hidden), *body, plain("model.norm.weight", hidden), *head)
    return Outline(architecture="llama", layers=layers, dtype="bfloat16", parameters=parameters)


def _layer(path: str, hidden: int, feed_forward: int) -> list[Parameter]:
    attention = [matrix(f"{path}.self_attn.{name}_proj", hidden, hidden) for name in "qkvo"]
    widening = [matrix(f"{path}.mlp.{name}_proj", feed_forward, hidden) for name in ("gate", "up")]
    down = matrix(f"{path}.mlp.down_proj", hidden, feed_forward)
    norms = [plain(f"{path}.{name}_layernorm.weight", hidden) for name in ("input", "post_attention")]
    return [*attention, *widening, down, *norms]


def only(*parameters: Parameter, layers: int = 1, dtype: str = "bfloat16") -> Outline:
    """Return a network with exactly these parameters."""
    return Outline(architecture="llama", layers=layers, dtype=dtype, parameters=parameters)
