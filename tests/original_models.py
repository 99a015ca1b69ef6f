"""Tiny models in their published form, in bfloat16 with Hugging Face's names, and their conversions by stock mlx-lm.

`python tests/original_models.py TINY_MODELS FOLDER` writes, for each architecture, a folder `original` and a folder for
each of RECIPES. It runs as a child process, because `mlx_lm.convert` prints. TINY_MODELS is the folder of
`tests/tiny_models.py`, which has the tokenizers.

    llama        tied embeddings; unused rotary frequencies; one matrix whose rows do not divide by 64
    untied       separate output head; attention bias
    qwen3_moe    separate experts, which are stacked; a router that needs 8 bits
    granitemoe   stacked experts with two matrices in one tensor, which are split
    gemma3       sliding windows; a vision tower
    lfm2         transposed convolutions; two weight files
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mlx_engine.models.files.safetensors import compose_header

ARCHITECTURES = ("llama", "untied", "qwen3_moe", "granitemoe", "gemma3", "lfm2")
RECIPES: dict[str, dict[str, Any]] = {
    "4bit": {"quantize": True},
    "mixed_3_6": {"quantize": True, "quant_predicate": "mixed_3_6", "q_group_size": 64},
    "mxfp4": {"quantize": True, "q_mode": "mxfp4"},
    "bf16": {"dtype": "bfloat16"},
}
"""Arguments of `mlx_lm.convert`, by the name of Facet's recipe."""

Shapes = dict[str, tuple[int, ...]]

_attention: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "vocab_size": 384,
    "torch_dtype": "bfloat16",
}


def write_original(folder: Path, tokenizer: Path, architecture: str) -> Path:
    """Write one of ARCHITECTURES, with the tokenizer of a model folder."""
    config, shapes = _MODELS[architecture]()
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tokenizer / name).read_bytes())
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "LICENSE").write_text("Do as you please.\n")
    (folder / "modeling_tiny.py").write_text("raise SystemExit('never run')\n")
    half = len(shapes) // 2 if architecture == "lfm2" else len(shapes)
    names = list(shapes)
    shards = [part for part in (names[:half], names[half:]) if part]
    for number, part in enumerate(shards, start=1):
        file = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_random(folder / file, {name: shapes[name] for name in part}, seed=number)
    return folder


def write_random(path: Path, shapes: Shapes, *, seed: int) -> None:
    """Write a safetensors file of bfloat16 with a spread of 0.02."""
    header, entries = compose_header({name: ("BF16", shape) for name, shape in shapes.items()})
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(header)
        for entry in entries.values():
            numbers = random.normal(scale=0.02, size=entry.elements).astype(np.float32)
            file.write((numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def _llama() -> tuple[dict[str, Any], Shapes]:
    shapes = _network("model.") | {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": (16,) for layer in range(2)}
    config = {"model_type": "llama", **_attention, "intermediate_size": 160}
    return config, {name: tuple(160 if size == 192 else size for size in shape) for name, shape in shapes.items()}


def _untied() -> tuple[dict[str, Any], Shapes]:
    shapes = _network("model.") | {"lm_head.weight": (384, 128)}
    for layer in range(2):
        attention = f"model.layers.{layer}.self_attn"
        shapes |= {f"{attention}.q_proj.bias": (128,), f"{attention}.o_proj.bias": (128,)}
        shapes |= {f"{attention}.{name}.bias": (64,) for name in ("k_proj", "v_proj")}
    return {"model_type": "llama", **_attention, "tie_word_embeddings": False, "attention_bias": True}, shapes


def _qwen3_moe() -> tuple[dict[str, Any], Shapes]:
    shapes = {name: shape for name, shape in _network("model.").items() if ".mlp." not in name}
    for layer in range(2):
        path = f"model.layers.{layer}"
        shapes |= {f"{path}.self_attn.{name}.weight": (32,) for name in ("q_norm", "k_norm")}
        shapes[f"{path}.mlp.gate.weight"] = (4, 128)
        for expert in range(4):
            for name, shape in {"gate_proj": (64, 128), "up_proj": (64, 128), "down_proj": (128, 64)}.items():
                shapes[f"{path}.mlp.experts.{expert}.{name}.weight"] = shape
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "norm_topk_prob": True}
    return {
        "model_type": "qwen3_moe",
        **_attention,
        **experts,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    }, shapes


def _granitemoe() -> tuple[dict[str, Any], Shapes]:
    shapes = {name: shape for name, shape in _network("model.").items() if ".mlp." not in name}
    for layer in range(2):
        path = f"model.layers.{layer}.block_sparse_moe"
        shapes[f"{path}.input_linear.weight"] = (4, 384, 128)
        shapes[f"{path}.output_linear.weight"] = (4, 128, 192)
        shapes[f"{path}.router.layer.weight"] = (4, 128)
    scales = dict.fromkeys(
        ("logits_scaling", "attention_multiplier", "embedding_multiplier", "residual_multiplier"), 1.0
    )
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "attention_bias": False}
    return {"model_type": "granitemoe", **_attention, **scales, **experts}, shapes


def _gemma3() -> tuple[dict[str, Any], Shapes]:
    shapes = _network("language_model.model.")
    for layer in range(2):
        path = f"language_model.model.layers.{layer}"
        shapes |= {f"{path}.{name}_feedforward_layernorm.weight": (128,) for name in ("pre", "post")}
        shapes |= {f"{path}.self_attn.{name}.weight": (32,) for name in ("q_norm", "k_norm")}
    shapes["vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight"] = (64, 64)
    shapes["multi_modal_projector.mm_input_projection_weight"] = (64, 128)
    text = {"model_type": "gemma3_text", **_attention, "sliding_window": 32, "sliding_window_pattern": 2}
    config = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 64}, "vocab_size": 384}
    return config | {"torch_dtype": "bfloat16"}, shapes


def _lfm2() -> tuple[dict[str, Any], Shapes]:
    shapes: Shapes = {"model.embed_tokens.weight": (384, 128), "model.embedding_norm.weight": (128,)}
    for layer in range(2):
        path = f"model.layers.{layer}"
        shapes |= {f"{path}.{name}.weight": (128,) for name in ("operator_norm", "ffn_norm")}
        shapes |= {f"{path}.feed_forward.{name}.weight": (192, 128) for name in ("w1", "w3")}
        shapes[f"{path}.feed_forward.w2.weight"] = (128, 192)
    shapes |= {
        "model.layers.0.conv.conv.weight": (128, 1, 3),
        "model.layers.0.conv.in_proj.weight": (384, 128),
        "model.layers.0.conv.out_proj.weight": (128, 128),
    }
    for name, rows in {"q_proj": 128, "k_proj": 64, "v_proj": 64, "out_proj": 128}.items():
        shapes[f"model.layers.1.self_attn.{name}.weight"] = (rows, 128)
    shapes |= {f"model.layers.1.self_attn.{name}_layernorm.weight": (32,) for name in ("q", "k")}
    sizes = {"block_dim": 128, "block_ff_dim": 192, "block_multiple_of": 64, "block_ffn_dim_multiplier": 1.0}
    convolution = {"conv_bias": False, "conv_L_cache": 3, "norm_eps": 1e-5, "block_auto_adjust_ff_dim": False}
    layers = {"layer_types": ["conv", "full_attention"]}
    return {"model_type": "lfm2", **_attention, **sizes, **convolution, **layers}, shapes


def _network(prefix: str) -> Shapes:
    """Return the tensors of a llama of two layers."""
    shapes: Shapes = {f"{prefix}embed_tokens.weight": (384, 128), f"{prefix}norm.weight": (128,)}
    for layer in range(2):
        path = f"{prefix}layers.{layer}"
        for name, rows in {"q_proj": 128, "k_proj": 64, "v_proj": 64, "o_proj": 128}.items():
            shapes[f"{path}.self_attn.{name}.weight"] = (rows, 128)
        shapes |= {f"{path}.mlp.{name}.weight": (192, 128) for name in ("gate_proj", "up_proj")}
        shapes[f"{path}.mlp.down_proj.weight"] = (128, 192)
        shapes |= {f"{path}.{name}.weight": (128,) for name in ("input_layernorm", "post_attention_layernorm")}
    return shapes


_MODELS = {
    "llama": _llama,
    "untied": _untied,
    "qwen3_moe": _qwen3_moe,
    "granitemoe": _granitemoe,
    "gemma3": _gemma3,
    "lfm2": _lfm2,
}


def supports_mixed_recipes(architecture: str) -> bool:
    """Return True if mlx-lm's mixed recipes support the layers: those with a `down_proj`."""
    return architecture != "lfm2"


def main(tiny_models: Path, folder: Path) -> None:
    """Write all originals, and convert them with stock mlx-lm."""
    from mlx_lm.convert import convert  # noqa: PLC0415

    for architecture in ARCHITECTURES:
        original = write_original(folder / architecture / "original", tiny_models / "llama", architecture)
        for recipe, arguments in RECIPES.items():
            if not recipe.startswith("mixed") or supports_mixed_recipes(architecture):
                convert(str(original), str(folder / architecture / recipe), **arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
