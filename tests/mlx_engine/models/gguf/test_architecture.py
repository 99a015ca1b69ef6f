import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx_lm
import numpy as np
import pytest

from mlx_engine.errors import BrokenModel, FacetError, UnsupportedModel
from tests.gguf_files import GGUFFile, Tensor, import_file, random_tensor, tiny_model


def config_of(written: GGUFFile, tmp_path: Path) -> dict[str, Any]:
    folder = import_file(written.write(tmp_path / "model.gguf"), tmp_path / "model")
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return config


def test_config_matches_the_metadata(tmp_path: Path) -> None:
    """It has the sizes, decimal numbers without float32 noise, and every token that ends a text."""
    written = tiny_model()
    written.metadata |= {"llama.rope.freq_base": 500000.0, "tokenizer.ggml.eot_token_id": 0}
    config = config_of(written, tmp_path)
    assert config["rms_norm_eps"] == 1e-5
    assert config["rope_theta"] == 500000
    assert config["rope_scaling"] is None
    assert config["eos_token_id"] == [2, 0]
    assert config["bos_token_id"] == 1
    assert (config["head_dim"], config["num_key_value_heads"]) == (32, 2)
    assert json.loads((tmp_path / "model" / "generation_config.json").read_text())["eos_token_id"] == [2, 0]


def test_linear_rope_scaling_is_imported(tmp_path: Path) -> None:
    """The factor stays the same."""
    written = tiny_model()
    written.metadata |= {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}
    assert config_of(written, tmp_path)["rope_scaling"] == {"rope_type": "linear", "factor": 4.0}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"original_max_position_embeddings": 512, "beta_fast": 32.0, "beta_slow": 1.0}),
        (
            {"original_context_length": 128, "yarn_beta_fast": 16.0, "attn_factor": 1.0},
            {"original_max_position_embeddings": 128, "beta_fast": 16.0, "beta_slow": 1.0},
        ),
    ],
)
def test_yarn_is_imported(fields: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    """Its defaults are those of llama.cpp, and stock MLX runs it."""
    written = tiny_model("qwen2")
    written.metadata |= {"qwen2.rope.scaling.type": "yarn", "qwen2.rope.scaling.factor": 4.0}
    written.metadata |= {f"qwen2.rope.scaling.{name}": value for name, value in fields.items()}
    assert config_of(written, tmp_path)["rope_scaling"] == {"rope_type": "yarn", "factor": 4.0, **expected}
    model, _ = mlx_lm.load(str(tmp_path / "model"))
    assert model.layers[0].self_attn.rope.mscale == pytest.approx(0.1 * math.log(4) + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rope.scaling.attn_factor", 1.0),
        ("attention.causal", True),
        ("rope.scaling.factor", 1.0),
        ("expert_count", 0),
        ("expert_used_count", 0),
        ("logit_scale", 1.0),
        ("embedding_scale", 1.0),
        ("attention.max_alibi_bias", 0.0),
        ("attention.sliding_window", 0),
    ],
)
def test_a_field_with_a_neutral_value_is_accepted(field: str, value: object, tmp_path: Path) -> None:
    """It changes nothing in llama.cpp."""
    written = tiny_model()
    written.metadata[f"llama.{field}"] = value
    assert config_of(written, tmp_path)["model_type"] == "llama"


@pytest.mark.parametrize(
    ("field", "value"),
    [("rope.scaling.attn_factor", 0.8), ("attention.causal", False), ("logit_scale", 16.0), ("expert_group_count", 4)],
)
def test_a_field_that_changes_the_model_is_refused_by_name(field: str, value: object, tmp_path: Path) -> None:
    written = tiny_model()
    written.metadata[f"llama.{field}"] = value
    with pytest.raises(UnsupportedModel, match=field.replace(".", r"\.")):
        config_of(written, tmp_path)


def llama3_factors(theta: float) -> list[float]:
    """Return the factors of Llama 3.1, which stretches wavelengths above 8,192 tokens 8-fold."""
    factors = []
    for pair in range(16):
        wavelength = 2 * math.pi * theta ** (2 * pair / 32)
        smooth = (8192 / wavelength - 1) / 3
        factors.append(8.0 if smooth < 0 else 1.0 if smooth > 1 else 1 / ((1 - smooth) / 8 + smooth))
    return factors


def test_llama_3_scaling_is_derived_from_its_factors(tmp_path: Path) -> None:
    """The config names the formula behind the factors, and stock MLX computes the same factors from it."""
    written = tiny_model()
    written.metadata["llama.rope.freq_base"] = 500000.0
    factors = np.array(llama3_factors(500000.0), "<f4")
    written.tensors["rope_freqs.weight"] = Tensor("F32", factors.shape, factors.tobytes())
    assert config_of(written, tmp_path)["rope_scaling"]["rope_type"] == "llama3"

    model, _ = mlx_lm.load(str(tmp_path / "model"))

    plain = 500000.0 ** (np.arange(0, 32, 2) / 32)
    assert np.allclose(np.array(model.layers[0].self_attn.rope._freqs), plain * factors, rtol=1e-5)


def with_metadata(**metadata: Any) -> Callable[[GGUFFile], None]:
    """Return a function that sets metadata; a double underscore in a name means a dot."""

    def change(written: GGUFFile) -> None:
        written.metadata |= {name.replace("__", "."): value for name, value in metadata.items()}

    return change


def with_tensor(name: str, kind: str, *shape: int) -> Callable[[GGUFFile], None]:
    def change(written: GGUFFile) -> None:
        written.tensors[name] = random_tensor(np.random.default_rng(1), kind, *shape)

    return change


def without(name: str) -> Callable[[GGUFFile], None]:
    def change(written: GGUFFile) -> None:
        written.metadata.pop(name, None)
        written.tensors.pop(name, None)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_tensor("blk.0.ffn_up.weight", "Q6_K", 96, 256), "Q6_K tensors .*Q4_0"),
        (with_tensor("blk.0.ffn_gate_exps.weight", "F16", 96, 64), "blk.0.ffn_gate_exps.weight"),
        (with_tensor("blk.0.attn_norm.weight", "Q8_0", 64), "quantized"),
        (with_tensor("rope_freqs.weight", "F32", 16), "custom RoPE factors"),
        (with_metadata(general__architecture="mamba"), "mamba"),
        (with_metadata(llama__expert_group_count=8), "llama.expert_group_count"),
        (with_metadata(llama__rope__dimension_count=16), "rope.dimension_count"),
        (with_metadata(llama__rope__scaling__type="longrope"), "longrope"),
        (with_metadata(tokenizer__ggml__model="bert"), "bert"),
    ],
)
def test_an_unsupported_feature_is_refused_by_name(
    change: Callable[[GGUFFile], None], message: str, tmp_path: Path
) -> None:
    """The error names the field or tensor that would be lost, and no folder is left behind."""
    written = tiny_model()
    change(written)
    refuse(written, UnsupportedModel, message, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("blk.1.attn_v.weight"), "'blk.1.attn_v.weight' is missing"),
        (without("token_embd.weight"), "'token_embd.weight' is missing"),
        (without("llama.block_count"), "llama.block_count"),
        (with_tensor("blk.1.ffn_up.weight", "Q4_0", 64, 96), "'blk.1.ffn_up.weight' has the shape"),
        (with_tensor("rope_freqs.weight", "F32", 3), "factors"),
        (with_metadata(llama__block_count=2**31 - 1), "layers"),
        (with_metadata(llama__block_count=0), "llama.block_count"),
        (with_metadata(llama__attention__head_count="four"), "llama.attention.head_count"),
        (with_metadata(llama__attention__head_count_kv=3), "heads"),
        (with_metadata(llama__rope__freq_base=float("nan")), "llama.rope.freq_base"),
        (with_metadata(tokenizer__ggml__eos_token_id=100_000), "eos_token_id"),
        (without("tokenizer.ggml.eos_token_id"), "ends a text"),
        (with_metadata(tokenizer__ggml__merges=["a b c"]), "pair"),
        (with_metadata(tokenizer__ggml__merges=["t missing"]), "damaged"),
        (with_metadata(tokenizer__ggml__tokens=["a", "b", "a"]), "twice|lists"),
        (with_metadata(tokenizer__ggml__token_type=[1]), "lists"),
        (
            with_metadata(tokenizer__ggml__tokens=[str(n) for n in range(999)], tokenizer__ggml__token_type=[1] * 999),
            "dam",
        ),
        (with_metadata(tokenizer__chat_template=7), "chat_template"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    change: Callable[[GGUFFile], None], message: str, tmp_path: Path
) -> None:
    """The error names the missing or impossible value, and no folder is left behind."""
    written = tiny_model()
    change(written)
    refuse(written, BrokenModel, message, tmp_path)


def refuse(written: GGUFFile, error: type[FacetError], message: str, tmp_path: Path) -> None:
    source = written.write(tmp_path / "model.gguf")
    with pytest.raises(error, match=message) as raised:
        import_file(source, tmp_path / "model")
    assert raised.value.message.endswith(".")
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_weights_too_large_for_float16_are_refused(tmp_path: Path) -> None:
    """A scale whose bias would overflow float16 does not silently become infinite."""
    written = tiny_model(kind="Q8_0")
    blocks = np.frombuffer(written.tensors["token_embd.weight"].data, np.uint8).copy().reshape(-1, 34)
    blocks[:, :2] = np.array([1000.0], "<f2").view(np.uint8)
    shape = written.tensors["token_embd.weight"].shape
    written.tensors["token_embd.weight"] = Tensor("Q8_0", shape, blocks.tobytes())
    refuse(written, UnsupportedModel, "too large", tmp_path)
