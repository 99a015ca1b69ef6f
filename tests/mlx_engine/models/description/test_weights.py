from typing import Any

import pytest

from mlx_engine.models.description.bit_map import bit_map
from mlx_engine.models.description.weights import distinct_bits, format_precision, read_weights
from mlx_engine.models.files.safetensors import TensorEntry, compose_header

Shapes = dict[str, tuple[str, tuple[int, ...]]]


def entries(tensors: Shapes) -> dict[str, TensorEntry]:
    return compose_header(tensors)[1]


@pytest.mark.parametrize(
    ("tensors", "settings", "parameters", "words"),
    [
        (
            {
                "l.qweight": ("I32", (16, 32)),
                "l.qzeros": ("I32", (1, 4)),
                "l.scales": ("F16", (1, 32)),
                "l.g_idx": ("I32", (128,)),
            },
            {"quant_method": "gptq", "bits": 4, "group_size": 128},
            128 * 32,
            "gptq 4-bit g128",
        ),
        (
            {"l.weight": ("F8_E4M3", (128, 64)), "l.weight_scale_inv": ("F32", (1, 1))},
            {"quant_method": "fp8"},
            128 * 64,
            "fp8",
        ),
        (
            {"e.experts.up_blocks": ("U8", (4, 8, 2, 16)), "e.experts.up_scales": ("U8", (4, 8, 2))},
            {"quant_method": "mxfp4"},
            4 * 8 * 64,
            "mxfp4 g32",
        ),
        (
            {"l.weight_packed": ("I32", (8, 4)), "l.weight_scale": ("BF16", (8, 1)), "l.weight_shape": ("I64", (2,))},
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 32}}},
            },
            8 * 32,
            "compressed-tensors 4-bit g32",
        ),
        (
            {"l.weight": ("U8", (64, 1)), "l.weight.absmax": ("F32", (2,)), "l.weight.quant_map": ("F32", (16,))},
            {"quant_method": "bitsandbytes"},
            128,
            "nf4",
        ),
        ({"l.weight": ("U8", (8, 16)), "l.weight_scale": ("BF16", (1,))}, {"quant_method": "bitnet"}, 512, None),
    ],
)
def test_quantized_weights_of_other_programs(
    tensors: Shapes, settings: dict[str, Any], parameters: int, words: str | None
) -> None:
    """They are counted unpacked, once, with their scales."""
    weights = list(read_weights(entries(tensors), {"quantization_config": settings}))
    assert [weight.parameters for weight in weights] == [parameters]
    assert weights[0].size_bytes == sum(entry.size_bytes for entry in entries(tensors).values())
    assert format_precision(weights) == (words or "bitnet 2-bit")


def test_the_bias_of_a_layer_is_a_weight() -> None:
    """It is not one of the biases of its groups."""
    tensors: Shapes = {
        "l.weight": ("U32", (4, 8)),
        "l.scales": ("F16", (4, 1)),
        "l.biases": ("F16", (4, 1)),
        "l.bias": ("F16", (4,)),
    }
    weights = read_weights(entries(tensors), {"quantization": {"bits": 4, "group_size": 64}})
    assert sorted((weight.name, weight.parameters) for weight in weights) == [("l", 256), ("l.bias", 4)]


def test_the_map_of_bits_has_a_row_for_each_layer() -> None:
    """Matrices outside of layers come first, vectors are omitted, and separate experts are one entry."""
    tensors: Shapes = {
        "model.embed_tokens.weight": ("BF16", (10, 64)),
        "model.layers.1.self_attn.q_proj.weight": ("U32", (4, 16)),
        "model.layers.1.self_attn.q_proj.scales": ("F16", (4, 2)),
        "model.layers.0.self_attn.q_proj.weight": ("U32", (4, 8)),
        "model.layers.0.self_attn.q_proj.scales": ("F16", (4, 1)),
        "model.layers.0.norm.weight": ("BF16", (64,)),
        "model.layers.0.mlp.experts.0.up.weight": ("BF16", (4, 4)),
        "model.layers.0.mlp.experts.1.up.weight": ("F32", (4, 4)),
    }
    weights = list(read_weights(entries(tensors), {"quantization": {"bits": 4, "group_size": 64}}))
    assert [(row.layer, row.bits) for row in bit_map(weights)] == [
        (None, {"model.embed_tokens": 16}),
        (0, {"self_attn.q_proj": 4, "mlp.experts.up": 24}),
        (1, {"self_attn.q_proj": 4}),
    ]
    assert distinct_bits(weights) == (4, 16, 32)
