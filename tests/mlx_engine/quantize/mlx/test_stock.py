"""Layouts and configurations held against what stock mlx-lm makes of networks that it builds itself.

Nothing is evaluated: MLX knows types and shapes of arrays before their numbers.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx import nn
from mlx.utils import tree_flatten, tree_map_with_path
from mlx_lm.convert import mixed_quant_predicate_builder
from mlx_lm.utils import load_model, make_shards, quantize_model

from mlx_engine.quantize.plan.config import quantized_config
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.plan.shards import into_shards
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Format
from tests.model_folders import write_shard

_attention: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 9,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
    "vocab_size": 96,
}
_experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
_configs: dict[str, dict[str, Any]] = {
    "dense": {"model_type": "llama", **_attention},
    "tied, with biases": {"model_type": "qwen2", **_attention, "tie_word_embeddings": True},
    "rows of 96": {"model_type": "llama", **_attention, "intermediate_size": 96, "num_hidden_layers": 3},
    "experts": {
        "model_type": "qwen3_moe",
        **_attention,
        **_experts,
        "decoder_sparse_step": 2,
        "mlp_only_layers": [],
        "norm_topk_prob": True,
    },
    "experts and windows": {
        "model_type": "gpt_oss",
        **_attention,
        "intermediate_size": 64,
        "num_local_experts": 4,
        "sliding_window": 32,
    },
    "windows": {"model_type": "gemma3_text", **_attention, "query_pre_attn_scalar": 32, "sliding_window_pattern": 3},
    "latent attention": {
        "model_type": "deepseek_v3",
        **_attention,
        **_experts,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "first_k_dense_replace": 1,
        "kv_lora_rank": 64,
        "q_lora_rank": 64,
        "qk_rope_head_dim": 32,
        "qk_nope_head_dim": 64,
        "v_head_dim": 64,
    },
    "convolutions": {
        "model_type": "lfm2",
        **_attention,
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 128,
        "block_ff_dim": 256,
        "block_multiple_of": 32,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "conv", "full_attention"] * 3,
    },
}
_uniform = ("4bit", "3bit-g32", "8bit-g128", "mxfp4", "nvfp4", "mxfp8")
_mixed = ("mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6")
_types = {mx.bfloat16: "BF16", mx.float16: "F16", mx.float32: "F32", mx.uint32: "U32", mx.uint8: "U8"}


def _network(config: dict[str, Any]) -> nn.Module:
    """Return the network in bfloat16, as `mlx_lm.convert` casts it."""
    module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
    network = module.Model(module.ModelArgs.from_dict(config))
    can_be_cast = getattr(network, "cast_predicate", lambda _: True)
    network.update(
        tree_map_with_path(
            lambda path, weight: weight.astype(mx.bfloat16) if can_be_cast(path) else weight, network.parameters()
        )
    )
    return network


def _outline(network: nn.Module) -> Outline:
    """Return the outline of the network that `tracing.py` should compute, derived in a simpler way."""
    prescribed: dict[str, Any] = {}
    predicate = getattr(network, "quant_predicate", lambda *_: True)
    for path, layer in tree_flatten(network.leaf_modules(), is_leaf=nn.Module.is_module):
        if hasattr(layer, "to_quantized"):
            answer = predicate(path, layer)
            prescribed[f"{path}.weight"] = Format(**answer) if isinstance(answer, dict) else None if answer else "keep"
    parameters = tuple(
        Parameter(
            name=name,
            shape=tuple(weight.shape),
            dtype=_types[weight.dtype],
            can_be_quantized=name in prescribed,
            can_be_cast=getattr(network, "cast_predicate", lambda _: True)(name),
            prescribed=prescribed.get(name),
        )
        for name, weight in tree_flatten(network.parameters())
    )
    return Outline(architecture="", layers=len(network.layers), dtype="bfloat16", parameters=parameters)


def _by_stock(network: nn.Module, config: dict[str, Any], name: str) -> tuple[nn.Module, dict[str, Any]]:
    if name in _mixed:
        predicate = mixed_quant_predicate_builder(name, network)
        return quantize_model(network, config, None, None, quant_predicate=predicate)
    usual = recipe(name).default
    assert isinstance(usual, Format)
    return quantize_model(network, config, usual.group_size, usual.bits, mode=usual.mode)


def _arrays(network: nn.Module) -> list[tuple[str, tuple[str, tuple[int, ...]]]]:
    return [(name, (_types[array.dtype], tuple(array.shape))) for name, array in tree_flatten(network.parameters())]


_cases = [(kind, name) for kind in _configs for name in _uniform + _mixed if kind != "convolutions" or name in _uniform]


@pytest.mark.parametrize(("kind", "name"), _cases)
def test_a_layout_has_the_arrays_of_mlx_lm_in_its_order(kind: str, name: str) -> None:
    """Names, types, shapes and order agree, and therefore the bytes in memory."""
    network = _network(_configs[kind])
    outline = _outline(network)

    stock, _ = _by_stock(network, {}, name)

    placements = layout(outline, recipe(name))
    assert [item for placement in placements for item in placement.arrays.items()] == _arrays(stock)
    size = sum(array.nbytes for _, array in tree_flatten(stock.parameters()))
    assert forecast(outline, recipe(name)).weights_bytes == size


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in _configs for name in ("balanced-4bit", "mxfp4", "bf16")]
)
def test_stock_mlx_lm_opens_a_layout_with_its_configuration(kind: str, name: str, tmp_path: Path) -> None:
    """Every array exists in the expected shape, and the same layers are quantized."""
    config = _configs[kind]
    outline = _outline(_network(config))
    placements = layout(outline, recipe(name))
    for shard in into_shards(item for placement in placements for item in placement.arrays.items()):
        write_shard(tmp_path / shard.file_name, dict(shard.arrays))
    (tmp_path / "config.json").write_text(json.dumps(quantized_config(config, placements, recipe(name))))

    network, _ = load_model(tmp_path, lazy=True, strict=True)

    formats = {
        path: Format(mode=layer.mode, bits=layer.bits, group_size=layer.group_size)
        for path, layer in tree_flatten(network.leaf_modules(), is_leaf=nn.Module.is_module)
        if hasattr(layer, "bits")
    }
    assert formats == {placed.parameter.path: placed.format for placed in placements if placed.format}


def test_the_configuration_describes_each_layer_as_mlx_lm_does() -> None:
    """Layers that mlx-lm lists are listed if they differ from the default."""
    config = _configs["experts"]
    network = _network(config)
    outline = _outline(network)
    _, stock = _by_stock(network, dict(config), "4bit")

    ours = quantized_config(config, layout(outline, recipe("4bit")), recipe("4bit"))

    with_mode = {
        name: {**answer, "mode": "affine"} if isinstance(answer, dict) else answer
        for name, answer in stock["quantization"].items()
    }
    assert ours["quantization"] == ours["quantization_config"] == with_mode


def test_arrays_are_split_into_files_as_by_mlx_lm() -> None:
    """A file ends before the array that would exceed 5 GB; a larger array has its own file."""
    sizes = (3, 2, 1, 1, 6, 1, 5, 5)
    arrays = [(f"{number}", ("U8", (size, 2**30))) for number, size in enumerate(sizes)]
    stand_ins = {name: mx.zeros(shape, mx.uint8) for name, (_, shape) in arrays}

    assert [list(shard.arrays) for shard in into_shards(arrays)] == [list(shard) for shard in make_shards(stand_ins)]
