"""Sizes of mlx-lm's KV caches for tiny networks of many architectures.

`python tests/cache_models.py FOLDER` writes a model folder for each and prints a JSON object with the bytes of its
float32 caches after TOKENS tokens, read at once, and one more. It runs as a child process.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

TOKENS = 300

_attention: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rms_norm_eps": 1e-5,
    "layer_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 1024,
    "vocab_size": 50,
    "tie_word_embeddings": True,
}
_latent = {
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": None,
    "num_experts_per_tok": 1,
    "moe_intermediate_size": 16,
    "rope_scaling": {"type": "yarn", "factor": 1.0, "mscale": 1.0, "mscale_all_dim": 0.0},
}
_mamba2 = {
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_d_ssm": 64,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **_attention},
    "windowed llama": {
        "model_type": "llama",
        **_attention,
        "sliding_window": 64,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
    },
    "gemma3_text": {"model_type": "gemma3_text", **_attention, "num_hidden_layers": 7, "sliding_window": 64},
    "cohere2": {"model_type": "cohere2", **_attention, "sliding_window": 64},
    "exaone4": {
        "model_type": "exaone4",
        **_attention,
        "sliding_window": 64,
        "sliding_window_pattern": "LLLG",
        "rope_scaling": None,
    },
    "gpt_oss": {
        "model_type": "gpt_oss",
        **_attention,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "sliding_window": 64,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "tie_word_embeddings": False,
    },
    "deepseek_v3": {"model_type": "deepseek_v3", **_attention, **_latent, "n_shared_experts": None},
    "deepseek_v2": {"model_type": "deepseek_v2", **_attention, **_latent, "n_shared_experts": None},
    "qwen3_next": {
        "model_type": "qwen3_next",
        **_attention,
        "linear_num_value_heads": 4,
        "linear_num_key_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 16,
        "linear_conv_kernel_dim": 4,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "decoder_sparse_step": 1,
        "shared_expert_intermediate_size": 16,
        "mlp_only_layers": [],
        "moe_intermediate_size": 16,
        "partial_rotary_factor": 0.5,
    },
    "lfm2": {
        "model_type": "lfm2",
        **_attention,
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 32,
        "block_ff_dim": 48,
        "block_multiple_of": 16,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention", "conv", "full_attention"],
    },
    "falcon_h1": {"model_type": "falcon_h1", **_attention, **_mamba2},
    "jamba": {
        "model_type": "jamba",
        **_attention,
        "attn_layer_offset": 1,
        "attn_layer_period": 2,
        "expert_layer_offset": 1,
        "expert_layer_period": 2,
        "mamba_d_conv": 4,
        "mamba_d_state": 8,
        "mamba_expand": 2,
        "num_experts": 1,
        "num_experts_per_tok": 1,
        "mamba_dt_rank": 4,
        "mamba_proj_bias": False,
        "mamba_conv_bias": True,
    },
    "mamba2": {
        "model_type": "mamba2",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_heads": 4,
        "head_dim": 16,
        "state_size": 8,
        "n_groups": 1,
        "conv_kernel": 4,
        "layer_norm_epsilon": 1e-5,
        "use_bias": False,
        "use_conv_bias": True,
        "tie_word_embeddings": True,
        "time_step_limit": [0.0, 100.0],
        "time_step_rank": 4,
        "vocab_size": 50,
    },
}


def measure(folder: Path) -> dict[str, int]:
    """Write the models to `folder`; return the cache size of each, in bytes."""
    import mlx.core as mx  # noqa: PLC0415
    from mlx.utils import tree_flatten  # noqa: PLC0415
    from mlx_lm.models.cache import make_prompt_cache  # noqa: PLC0415

    sizes = {}
    for name, config in CONFIGS.items():
        module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
        network = module.Model(module.ModelArgs.from_dict(config))
        network.set_dtype(mx.float32)
        path = folder / "kind" / name
        path.mkdir(parents=True)
        (path / "config.json").write_text(json.dumps(config))
        (path / "tokenizer.json").write_text("{}")
        mx.save_safetensors(str(path / "model.safetensors"), dict(tree_flatten(network.parameters())))
        layers = make_prompt_cache(network)
        for tokens in (mx.arange(TOKENS) % 50, mx.array([7])):
            mx.eval(network(tokens[None], cache=layers), [layer.state for layer in layers])
        sizes[name] = sum(layer.nbytes for layer in layers)
    return sizes


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))  # noqa: T201 - the result
