from mlx_engine.models.configuration.normalize import normalize


def test_a_text_part_becomes_the_whole_that_mlx_lm_runs() -> None:
    config = normalize({"model_type": "qwen3_5_text", "hidden_size": 64, "architectures": ["A"], "eos_token_id": 2})
    assert (config["model_type"], config["architectures"], config["eos_token_id"]) == ("qwen3_5", ["A"], 2)
    assert (config["text_config"]["model_type"], config["text_config"]["hidden_size"]) == ("qwen3_5_text", 64)
    assert normalize(config) == config


def test_a_tied_head_of_a_text_part_is_that_of_the_whole() -> None:
    config = normalize({"model_type": "gemma3n_text", "tie_word_embeddings": True})
    assert config["tie_word_embeddings"] is config["text_config"]["tie_word_embeddings"] is True


def test_a_text_part_that_mlx_lm_runs_stays_as_it_is() -> None:
    assert "text_config" not in normalize({"model_type": "gemma3_text", "hidden_size": 64})
