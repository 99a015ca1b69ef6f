import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.measure.mlx.forward import logits
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build


def test_a_chunk_beyond_the_length_of_pretraining_is_the_same_with_a_cache() -> None:
    """The prefix alone would be short enough for longrope's other factors."""
    scaling = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = {
        "model_type": "phi3",
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": 32,
        "max_position_embeddings": 64,
        "original_max_position_embeddings": 16,
        "rope_scaling": scaling,
        "sliding_window": None,
    }
    network, tokens = build(normalize(config)), np.arange(20, dtype=np.int32)
    with_cache = logits(network, tokens, 12, cache=make_prompt_cache(network))
    np.testing.assert_allclose(np.array(with_cache), np.array(logits(network, tokens, 12)), atol=1e-5)
