"""Models written by the conventions of llama.cpp's converter compute the same after the import."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants
from mlx.utils import tree_flatten, tree_map
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build
from mlx_engine.networks.load import load_network
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.recipes.builtin import recipe
from tests.gguf_files import GGUFFile, Tensor, import_file, tiny_tokenizer

Array = NDArray[np.float32]
_mxfp4 = GGMLQuantizationType.MXFP4
_tokenizer = tiny_tokenizer()
_vocabulary = len(_tokenizer["tokenizer.ggml.tokens"])
_hidden, _heads, _kv_heads, _head, _width, _layers = 64, 4, 2, 16, 96, 2
_config: dict[str, Any] = {
    "hidden_size": _hidden,
    "intermediate_size": _width,
    "num_hidden_layers": _layers,
    "num_attention_heads": _heads,
    "num_key_value_heads": _kv_heads,
    "head_dim": _head,
    "rms_norm_eps": 1e-5,
    "vocab_size": _vocabulary,
    "max_position_embeddings": 512,
    "rope_theta": 5000.0,
    "tie_word_embeddings": True,
}
_metadata: dict[str, Any] = {
    "block_count": _layers,
    "context_length": 512,
    "embedding_length": _hidden,
    "feed_forward_length": _width,
    "attention.head_count": _heads,
    "attention.head_count_kv": _kv_heads,
    "attention.key_length": _head,
    "attention.value_length": _head,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "rope.freq_base": 5000.0,
    "rope.dimension_count": _head,
}
_names = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.sinks": "attn_sinks",
    "self_attn.query_layernorm": "attn_q_norm",
    "self_attn.key_layernorm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate_up_proj": "ffn_up",
    "model.final_layernorm": "output_norm",
    "self_attn.dense": "attn_output",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
    "block_sparse_moe.gate": "ffn_gate_inp",
    "block_sparse_moe.router.layer": "ffn_gate_inp",
    "block_sparse_moe.switch_mlp.gate_proj": "ffn_gate_exps",
    "block_sparse_moe.switch_mlp.up_proj": "ffn_up_exps",
    "block_sparse_moe.switch_mlp.down_proj": "ffn_down_exps",
    "mlp.e_score_correction_bias": "exp_probs_b",
    "mlp.gate.e_score_correction_bias": "exp_probs_b",
    "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
    "mlp.shared_experts.up_proj": "ffn_up_shexp",
    "mlp.shared_experts.down_proj": "ffn_down_shexp",
    "mlp.router": "ffn_gate_inp",
    "mlp.experts.gate_proj": "ffn_gate_exps",
    "mlp.experts.up_proj": "ffn_up_exps",
    "mlp.experts.down_proj": "ffn_down_exps",
    "mlp.gate": "ffn_gate_inp",
    "mlp.switch_mlp.gate_proj": "ffn_gate_exps",
    "mlp.switch_mlp.up_proj": "ffn_up_exps",
    "mlp.switch_mlp.down_proj": "ffn_down_exps",
    "mlp.shared_expert_gate": "ffn_gate_inp_shexp",
    "mlp.shared_expert.gate_proj": "ffn_gate_shexp",
    "mlp.shared_expert.up_proj": "ffn_up_shexp",
    "mlp.shared_expert.down_proj": "ffn_down_shexp",
}
_two_norms = {"post_attention_layernorm": "ffn_norm"}
_outer_norms = {"post_attention_layernorm": "post_attention_norm", "post_feedforward_layernorm": "post_ffw_norm"}
_four_norms = {**_outer_norms, "pre_feedforward_layernorm": "ffn_norm"}


def _permuted(name: str, weight: Array) -> Array:
    """Reorder the rows of queries and keys as the converter does for llama."""
    heads = {"attn_q": _heads, "attn_k": _kv_heads}.get(name.removesuffix(".weight"))
    if heads is None:
        return weight
    return weight.reshape(heads, 2, -1, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)


def _norms_plus_one(name: str, weight: Array) -> Array:
    return weight + 1 if name.endswith("norm.weight") else weight


def _unchanged(name: str, weight: Array) -> Array:
    return weight


_mixture: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
_mixture_metadata = {"expert_count": 4, "expert_used_count": 2, "expert_feed_forward_length": 32}
_windows = {"attention.sliding_window": 8}
_layer_norm = {"attention.layer_norm_epsilon": 1e-5}
_scales = {"attention.scale": 0.2, "embedding_scale": 3.0, "residual_scale": 0.5, "logit_scale": 4.0}
_granite: dict[str, Any] = {
    "attention_multiplier": 0.2,
    "embedding_multiplier": 3.0,
    "residual_multiplier": 0.5,
    "logits_scaling": 4.0,
    "attention_bias": False,
    "mlp_bias": False,
}
_routed: dict[str, Any] = {
    "first_k_dense_replace": 1,
    "moe_intermediate_size": 32,
    "n_routed_experts": 4,
    "n_shared_experts": 2,
    "num_experts_per_tok": 2,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
}
_routed_metadata = {
    **_mixture_metadata,
    "leading_dense_block_count": 1,
    "expert_gating_func": 2,
    "expert_shared_count": 2,
    "expert_weights_norm": True,
    "expert_weights_scale": 2.5,
}
_glm4_moe: dict[str, Any] = {
    **_routed,
    "n_group": 1,
    "topk_group": 1,
    "partial_rotary_factor": 0.5,
    "rope_scaling": None,
    "tie_word_embeddings": False,
}
_glm4_moe_metadata = {**_routed_metadata, "rope.dimension_count": 8, "expert_group_count": 1}
_sections = {"rope.dimension_sections": [4, 2, 2, 0]}
_cases: dict[str, tuple[dict[str, Any], dict[str, Any], Mapping[str, str], Callable[[str, Array], Array]]] = {
    "cohere2": (
        {
            "model_type": "cohere2",
            "layer_norm_eps": 1e-5,
            "logit_scale": 0.25,
            "sliding_window": 8,
            "num_hidden_layers": 4,
        },
        {**_layer_norm, **_windows, "logit_scale": 0.25, "block_count": 4},
        {},
        _unchanged,
    ),
    "command-r": (
        {"model_type": "cohere", "layer_norm_eps": 1e-5, "logit_scale": 0.25},
        {**_layer_norm, "logit_scale": 0.25},
        {},
        _unchanged,
    ),
    "dots1": (
        {
            "model_type": "dots1",
            **_routed,
            "scoring_func": "noaux_tc",
            "sliding_window": None,
            "tie_word_embeddings": False,
        },
        _routed_metadata,
        _two_norms,
        _unchanged,
    ),
    "ernie4_5": ({"model_type": "ernie4_5", "use_bias": False}, {}, _two_norms, _unchanged),
    "ernie4_5-moe": (
        {
            "model_type": "ernie4_5_moe",
            "use_bias": False,
            "moe_num_experts": 4,
            "moe_k": 2,
            "moe_intermediate_size": 32,
            "moe_layer_start_index": 1,
            "moe_layer_end_index": _layers - 1,
            "moe_layer_interval": 1,
            "moe_num_shared_experts": 2,
        },
        {
            **_mixture_metadata,
            "expert_shared_count": 2,
            "expert_shared_feed_forward_length": 64,
            "interleave_moe_layer_step": 1,
            "leading_dense_block_count": 1,
        },
        _two_norms,
        _unchanged,
    ),
    "exaone": ({"model_type": "llama"}, {}, _two_norms, _unchanged),
    "exaone4": (
        {
            "model_type": "exaone4",
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
            "rope_scaling": None,
        },
        {**_windows, "attention.sliding_window_pattern": [True, False]},
        _outer_norms,
        _unchanged,
    ),
    "exaone4 without a window": (
        {"model_type": "exaone4", "sliding_window": None, "rope_scaling": None},
        {},
        _outer_norms,
        _unchanged,
    ),
    "gemma": ({"model_type": "gemma"}, {}, _two_norms, _norms_plus_one),
    "gemma2": (
        {
            "model_type": "gemma2",
            "sliding_window": 8,
            "query_pre_attn_scalar": 16,
            "attn_logit_softcapping": 50.0,
            "final_logit_softcapping": 30.0,
        },
        {**_windows, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
        _four_norms,
        _norms_plus_one,
    ),
    "gemma3": (
        {"model_type": "gemma3_text", "sliding_window": 8, "query_pre_attn_scalar": 16, "num_hidden_layers": 6},
        {**_windows, "block_count": 6},
        _four_norms,
        _norms_plus_one,
    ),
    "glm4": (
        {
            "model_type": "glm4",
            "attention_bias": True,
            "partial_rotary_factor": 0.5,
            "tie_word_embeddings": False,
        },
        {"rope.dimension_count": 8},
        {**_two_norms, "post_self_attn_layernorm": "post_attention_norm", "post_mlp_layernorm": "post_ffw_norm"},
        _unchanged,
    ),
    "glm4moe": (
        {"model_type": "glm4_moe", **_glm4_moe, "attention_bias": True, "use_qk_norm": True},
        {**_glm4_moe_metadata, "block_count": _layers + 1, "nextn_predict_layers": 1},
        {"post_attention_layernorm": "post_attention_norm"},
        _unchanged,
    ),
    "glm4moe without norms of heads": (
        {"model_type": "glm4_moe", **_glm4_moe, "attention_bias": False, "use_qk_norm": False},
        _glm4_moe_metadata,
        {"post_attention_layernorm": "post_attention_norm"},
        _unchanged,
    ),
    "gpt-oss": (
        {
            "model_type": "gpt_oss",
            "intermediate_size": 32,
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
            "tie_word_embeddings": False,
            "rope_scaling": {
                "rope_type": "yarn",
                "factor": 16.0,
                "original_max_position_embeddings": 32,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "truncate": False,
            },
        },
        {
            **_mixture_metadata,
            **_windows,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 16.0,
            "rope.scaling.original_context_length": 32,
        },
        {"post_attention_layernorm": "post_attention_norm"},
        _unchanged,
    ),
    "granite": ({"model_type": "granite", **_granite}, _scales, _two_norms, _permuted),
    "granitemoe": (
        {"model_type": "granitemoe", **_granite, "num_local_experts": 4, "num_experts_per_tok": 2},
        {**_scales, "expert_count": 4, "expert_used_count": 2},
        _two_norms,
        _permuted,
    ),
    "hunyuan-dense": (
        {
            "model_type": "hunyuan_v1_dense",
            "rope_theta": 5000.0 / 50 ** (_head / (_head - 2)),
            "rope_scaling": {"type": "dynamic", "alpha": 50.0, "factor": 1.0},
        },
        {"rope.scaling.type": "none", "rope.scaling.factor": 1.0, "rope.scaling.original_context_length": 512},
        _two_norms,
        _unchanged,
    ),
    "internlm2": ({"model_type": "llama"}, {}, _two_norms, _permuted),
    "llama": ({"model_type": "llama"}, {}, _two_norms, _permuted),
    "minicpm": (
        {
            "model_type": "minicpm",
            "scale_emb": 3.0,
            "scale_depth": 0.5 * _layers**0.5,
            "dim_model_base": _hidden // 4,
            "tie_word_embeddings": False,
        },
        {name: _scales[name] for name in ("embedding_scale", "residual_scale", "logit_scale")},
        _two_norms,
        _permuted,
    ),
    "nemotron": (
        {
            "model_type": "nemotron",
            "hidden_act": "relu2",
            "norm_eps": 1e-5,
            "partial_rotary_factor": 0.5,
            "tie_word_embeddings": False,
        },
        {**_layer_norm, "rope.dimension_count": 8},
        _two_norms,
        _norms_plus_one,
    ),
    "olmo2": ({"model_type": "olmo2"}, {}, _outer_norms, _unchanged),
    "olmoe": (
        {"model_type": "olmoe", "num_experts": 4, "num_experts_per_tok": 2, "norm_topk_prob": False},
        {"expert_count": 4, "expert_used_count": 2},
        _two_norms,
        _unchanged,
    ),
    "phi2": (
        {
            "model_type": "phi",
            "layer_norm_eps": 1e-5,
            "partial_rotary_factor": 0.5,
            "tie_word_embeddings": False,
        },
        {**_layer_norm, "rope.dimension_count": 8},
        {},
        _unchanged,
    ),
    "phi3": (
        {"model_type": "phi3", "sliding_window": 8, "partial_rotary_factor": 0.5},
        {**_windows, "rope.dimension_count": 8},
        _two_norms,
        _unchanged,
    ),
    "mixtral": (
        {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2},
        {"expert_count": 4, "expert_used_count": 2},
        _two_norms,
        _permuted,
    ),
    "qwen2moe": (
        {"model_type": "qwen2_moe", **_mixture, "shared_expert_intermediate_size": 48},
        {**_mixture_metadata, "expert_shared_feed_forward_length": 48},
        _two_norms,
        _unchanged,
    ),
    "qwen2vl": ({"model_type": "qwen2"}, _sections, _two_norms, _unchanged),
    "qwen3": ({"model_type": "qwen3"}, {}, _two_norms, _unchanged),
    "qwen3moe": (
        {"model_type": "qwen3_moe", **_mixture, "norm_topk_prob": True, "decoder_sparse_step": 1},
        _mixture_metadata,
        _two_norms,
        _unchanged,
    ),
    "qwen3vl": ({"model_type": "qwen3"}, {**_sections, "n_deepstack_layers": 3}, _two_norms, _unchanged),
    "qwen3vlmoe": (
        {"model_type": "qwen3_moe", **_mixture, "norm_topk_prob": True, "decoder_sparse_step": 1},
        {**_mixture_metadata, **_sections, "n_deepstack_layers": 3},
        _two_norms,
        _unchanged,
    ),
    "seed_oss": (
        {"model_type": "seed_oss", "attention_bias": True, "attention_out_bias": False, "mlp_bias": False},
        {},
        {"post_attention_layernorm": "post_attention_norm"},
        _unchanged,
    ),
    "smollm3": ({"model_type": "smollm3"}, {}, _two_norms, _permuted),
    "stablelm": (
        {
            "model_type": "stablelm",
            "layer_norm_eps": 1e-5,
            "partial_rotary_factor": 0.5,
            "use_qkv_bias": True,
            "tie_word_embeddings": False,
        },
        {**_layer_norm, "rope.dimension_count": 8},
        _two_norms,
        _unchanged,
    ),
    "starcoder2": (
        {"model_type": "starcoder2", "norm_epsilon": 1e-5, "use_bias": True, "hidden_act": "gelu_pytorch_tanh"},
        _layer_norm,
        _two_norms,
        _unchanged,
    ),
}
_lone = {"sinks": "weight", "e_score_correction_bias": "bias"}
"""Parameters that llama.cpp stores as the weight or bias of a tensor of their own."""
_kinds = {"mixtral": "llama", "exaone4 without a window": "exaone4", "glm4moe without norms of heads": "glm4moe"}
_added = {"ernie4_5-moe": {"model.layers.1.mlp.e_score_correction_bias": (4,)}}
"""Shapes of parameters that a network has only if its weights do."""
_ignored: dict[str, dict[str, Array]] = {
    "glm4moe": {f"blk.{_layers}.nextn.eh_proj.weight": np.zeros((_hidden, 2 * _hidden), np.float32)}
}
"""Tensors of a file that its network has no use for."""
"""Names that llama.cpp has for an architecture, where they differ from the name of the case."""


@pytest.mark.parametrize("case", _cases)
def test_an_imported_model_computes_the_same(case: str, tmp_path: Path) -> None:
    original, source = _written(case, tmp_path)
    imported, _ = load_network(import_file(source, tmp_path / "owner" / "m"))
    _assert_same_logits(imported, original)


@pytest.mark.parametrize("case", _cases)
def test_a_converted_model_computes_the_same(case: str, tmp_path: Path) -> None:
    original, source = _written(case, tmp_path)
    with closing(open_source(source)) as opened:
        list(convert(opened, tmp_path / "m", recipe("lossless")))
    converted, _ = load_network(tmp_path / "m")
    _assert_same_logits(converted, original)


@pytest.mark.parametrize("case", ["gpt-oss", "mixtral"])
def test_blocks_of_permuted_rows_and_stacked_experts_stay_whole(case: str, tmp_path: Path) -> None:
    original, source = _written(case, tmp_path, is_quantized=True)
    with closing(open_source(source)) as opened:
        list(convert(opened, tmp_path / "m", recipe("lossless")))
    converted, _ = load_network(tmp_path / "m")
    _assert_same_logits(converted, original)


def test_the_yarn_of_gpt_oss_does_not_round(tmp_path: Path) -> None:
    """It is a small difference in logits, but the models were trained without rounding."""
    _, source = _written("gpt-oss", tmp_path)
    folder = import_file(source, tmp_path / "owner" / "m")
    assert json.loads((folder / "config.json").read_text())["rope_scaling"]["truncate"] is False


def test_experts_of_dots_that_are_chosen_by_softmax_are_refused(tmp_path: Path) -> None:
    _, source = _written("dots1", tmp_path, {"expert_gating_func": 1})
    with pytest.raises(UnsupportedModel, match="sigmoids"):
        import_file(source, tmp_path / "owner" / "m")


def test_a_file_without_layers_of_the_network_is_refused(tmp_path: Path) -> None:
    _, source = _written("glm4moe", tmp_path, {"nextn_predict_layers": _layers + 1})
    with pytest.raises(BrokenModel, match="3 of its 3 layers"):
        import_file(source, tmp_path / "owner" / "m")


def _written(
    case: str, folder: Path, other: Mapping[str, Any] = MappingProxyType({}), *, is_quantized: bool = False
) -> tuple[Any, Path]:
    """Return the network of a case and the GGUF file with its weights, where `other` replaces metadata.

    Matrices are in F32, or in MXFP4 if `is_quantized`.
    """
    fields, metadata, norms, change = _cases[case]
    kind = _kinds.get(case, case)
    original = build(normalize({**_config, **fields}))
    if case in _added:
        original.sanitize({name: mx.zeros(shape) for name, shape in _added[case].items()})
    mx.random.seed(2)
    original.update(tree_map(lambda weight: 0.2 * mx.random.normal(weight.shape) + 0.1, original.parameters()))
    if is_quantized:
        original.update(tree_map(_rounded, original.parameters()))
    flat: Any = tree_flatten(original.parameters())
    tensors = {_gguf_name(name, norms): np.array(weight.astype(mx.float32)) for name, weight in flat}
    tensors |= _ignored.get(case, {})
    file = GGUFFile(
        {
            "general.architecture": kind,
            **{f"{kind}.{name}": value for name, value in {**_metadata, **metadata, **other}.items()},
            **_tokenizer,
        },
        {name: _tensor(name, weight, change, is_quantized=is_quantized) for name, weight in tensors.items()},
    )
    return original, file.write(folder / "m.gguf")


def _assert_same_logits(network: Any, original: Any) -> None:
    tokens = mx.array([[3, 7, 5, 9, 4, 8, 6, 3, 7, 11, 12, 5]])
    np.testing.assert_allclose(np.array(network(tokens)), np.array(original(tokens)), rtol=2e-3, atol=2e-3)


def _gguf_name(name: str, norms: Mapping[str, str]) -> str:
    path, _, kind = name.rpartition(".")
    names = {**_names, **norms}
    if not path.startswith("model.layers."):
        return f"{names[path]}.{kind}"
    if kind in _lone:
        path, kind = f"{path}.{kind}", _lone[kind]
    layer, _, rest = path.removeprefix("model.layers.").partition(".")
    return f"blk.{layer}.{names[rest]}.{kind}"


def _rounded(weight: mx.array) -> mx.array:
    if weight.ndim == 1:
        return weight
    return mx.array(quants.dequantize(quants.quantize(np.array(weight), _mxfp4), _mxfp4))


def _tensor(name: str, weight: Array, change: Callable[[str, Array], Array], *, is_quantized: bool) -> Tensor:
    stem = ".".join(name.split(".")[-2:])
    values = np.ascontiguousarray(change(stem, weight).astype("<f4"))
    if is_quantized and values.ndim > 1:
        return Tensor("MXFP4", values.shape, quants.quantize(values, _mxfp4).tobytes())
    return Tensor("F32", values.shape, values.tobytes())
