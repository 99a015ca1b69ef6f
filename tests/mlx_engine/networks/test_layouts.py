import mlx.core as mx
import numpy as np

from mlx_engine.networks.layouts import arrange, complete


def test_experts_in_one_tensor_are_separated() -> None:
    weights = {
        "layers.0.mlp.experts.gate_up_proj": mx.arange(24).reshape(2, 4, 3),
        "layers.0.mlp.experts.down_proj": mx.zeros((2, 3, 2)),
    }
    owner = "layers.0.mlp.switch_mlp"
    names = [f"{owner}.{part}.weight" for part in ("gate_proj", "up_proj", "down_proj")]
    result = arrange(weights, ["qwen3_moe"], dict.fromkeys(names))
    assert sorted(result) == sorted(names)
    np.testing.assert_array_equal(np.array(result[names[1]])[0], [[6, 7, 8], [9, 10, 11]])


def test_a_network_that_has_them_in_one_tensor_keeps_them() -> None:
    weights = {"layers.0.mlp.experts.gate_up_proj": mx.zeros((2, 4, 3))}
    assert list(arrange(weights, ["gpt_oss"], {})) == list(weights)


def test_experts_of_llama_4_are_left_to_its_own_sanitize() -> None:
    name = "language_model.model.layers.0.feed_forward.experts"
    weights = {f"{name}.down_proj": mx.zeros((2, 3, 4))}
    assert arrange(weights, ["llama4", "llama4_text"], {f"{name}.down_proj.weight": mx.zeros((2, 4, 3))}) == weights


def test_names_of_transformers_become_those_in_repositories() -> None:
    result = arrange({"model.layers.0.mlp.gate.weight": mx.zeros(1)}, ["mixtral"], {})
    assert list(result) == ["model.layers.0.block_sparse_moe.gate.weight"]


def test_the_tensors_of_a_multimodal_model_become_those_in_repositories() -> None:
    weights = {"model.language_model.norm.weight": mx.zeros(1), "lm_head.weight": mx.zeros(1)}
    result = arrange(weights, ["gemma3", "gemma3_text"], {})
    assert list(result) == ["language_model.model.norm.weight", "language_model.lm_head.weight"]


def test_experts_that_mlx_lm_leaves_apart_are_stacked() -> None:
    weights = {f"layers.1.mlp.experts.{index}.up_proj.weight": mx.full((2, 3), index) for index in range(11)}
    stack = "layers.1.mlp.switch_mlp.up_proj.weight"
    result = complete(weights, {stack: None}, has_tied_head=False)
    assert list(result) == [stack]
    np.testing.assert_array_equal(np.array(result[stack])[:, 0, 0], range(11))


def test_a_network_with_a_head_of_its_own_takes_a_tied_one_from_the_embedding() -> None:
    weights = {"model.embed_tokens.weight": mx.ones((4, 2)), "model.embed_tokens.scales": mx.ones((4, 1))}
    parameters = {"model.embed_tokens.weight": None, "lm_head.weight": None}
    result = complete(weights, parameters, has_tied_head=True)
    assert sorted(set(result) - set(weights)) == ["lm_head.scales", "lm_head.weight"]
    assert complete(weights, parameters, has_tied_head=False) == weights


def test_the_copy_of_the_embeddings_of_a_tied_head_is_removed_if_the_network_has_no_head() -> None:
    """Some files have it under the name of the head, which transformers ignores."""
    embedding = mx.ones((4, 2))
    weights = {"model.embed_tokens.weight": embedding, "lm_head.weight": embedding}
    parameters = {"model.embed_tokens.weight": None}
    assert complete(weights, parameters, has_tied_head=True).keys() == {"model.embed_tokens.weight"}
    assert complete(weights, parameters, has_tied_head=False).keys() == weights.keys()


def test_experts_are_separated_one_by_one_where_other_tensors_depend_on_it() -> None:
    """Qwen3-Next's `sanitize` shifts its norms only if the experts are separate."""
    weights = {
        "model.layers.0.mlp.experts.gate_up_proj": mx.arange(24).reshape(2, 4, 3),
        "model.layers.0.mlp.experts.down_proj": mx.zeros((2, 3, 2)),
        "model.norm.weight": mx.zeros(3),
    }
    result = arrange(weights, ["qwen3_next"], {})
    owner = "model.layers.0.mlp.experts"
    experts = [f"{owner}.{index}.{part}.weight" for index in (0, 1) for part in ("gate_proj", "up_proj", "down_proj")]
    assert sorted(result) == sorted([*experts, "model.norm.weight"])
    np.testing.assert_array_equal(np.array(result[f"{owner}.1.up_proj.weight"]), [[18, 19, 20], [21, 22, 23]])


def test_the_convolutions_of_queries_keys_and_values_are_split_where_the_network_has_them_separately() -> None:
    """Their sizes are those of the network; one that has a single convolution keeps it."""
    name, sizes = "model.layers.0.self_attn", {"q": 2, "k": 2, "v": 3}
    weights = {f"{name}.conv1d.weight": mx.arange(7).reshape(7, 1, 1)}
    parameters = {f"{name}.{part}_conv.conv.weight": mx.zeros((size, 4, 1)) for part, size in sizes.items()}
    result = arrange(weights, ["kimi_linear"], parameters)
    assert list(result) == [f"{name}.{part}_conv1d.weight" for part in sizes]
    np.testing.assert_array_equal(np.array(result[f"{name}.v_conv1d.weight"])[:, 0, 0], [4, 5, 6])
    assert list(arrange(weights, ["qwen3_next"], {f"{name}.conv1d.weight": mx.zeros((7, 1, 1))})) == list(weights)
