from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build


def test_layers_with_a_window_see_the_query_too_and_have_their_own_base() -> None:
    config = {
        "model_type": "mimo_v2_flash",
        **dict.fromkeys(("num_hidden_layers", "num_attention_heads", "swa_num_attention_heads"), 2),
        **dict.fromkeys(("num_key_value_heads", "n_group", "topk_group", "num_experts_per_tok"), 1),
        **dict.fromkeys(("hidden_size", "intermediate_size", "moe_intermediate_size", "vocab_size"), 32),
        **dict.fromkeys(("head_dim", "swa_head_dim", "v_head_dim", "swa_v_head_dim"), 16),
        **dict.fromkeys(("n_shared_experts", "routed_scaling_factor"), None),
        "hybrid_layer_pattern": [0, 1],
        "moe_layer_freq": [0, 0],
        "add_swa_attention_sink_bias": True,
        "add_full_attention_sink_bias": False,
        "sliding_window": 4,
        "sliding_window_size": 4,
        "n_routed_experts": 4,
        "swa_num_key_value_heads": 1,
        "topk_method": "noaux_tc",
        "scoring_func": "sigmoid",
        "norm_topk_prob": True,
        "max_position_embeddings": 64,
        "layernorm_epsilon": 1e-5,
        "rope_theta": 777.0,
        "swa_rope_theta": 55.0,
        "partial_rotary_factor": 0.5,
    }
    network = build(normalize(config))
    assert network.make_cache()[1].max_size == 5
    assert [layer.self_attn.rope.base for layer in network.layers] == [777.0, 55.0]
