"""Layers and heads of an outline."""

import pytest

from mlx_engine.quantize.plan.outline import layer_of
from tests.outlines import dense, matrix, only, plain


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("model.layers.12.mlp.experts.3.down_proj", 12),
        ("language_model.model.layers.0.self_attn.q_proj", 0),
        ("model.kv_reuse_layers.7.mlp.up_proj", 7),
        ("model.embed_tokens", None),
        ("lm_head", None),
        ("model.layer_norm2", None),
    ],
)
def test_the_layer_is_the_first_number_in_the_path(path: str, layer: int | None) -> None:
    """With any name for layers."""
    assert layer_of(path) == layer


def test_the_head_is_outside_of_layers() -> None:
    """OLMo has a matrix of the same name in each layer."""
    outline = only(
        matrix("wte", 96, 64), matrix("blocks.0.ff_out", 64, 64), matrix("ff_out", 96, 64), plain("norm", 64)
    )

    assert outline.head() == {"ff_out"}
    assert outline.embeddings() == {"wte"}


def test_tied_embeddings_are_the_head() -> None:
    """No other matrix converts vectors into tokens."""
    assert dense(is_tied=True).head() == dense().embeddings() == {"model.embed_tokens"}
