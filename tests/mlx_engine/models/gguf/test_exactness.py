"""Compares imported models, loaded by stock mlx_lm, with the weights of the GGUF file, decoded block by block.

The reference runs with llama.cpp's order of rows.
"""

import importlib
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx_lm
import numpy as np
import pytest

from mlx_engine.models.description.describe import describe
from mlx_engine.models.gguf.header import read_header
from mlx_engine.models.library.starter import starter_gguf
from tests import gguf_files
from tests.gguf_files import Tensor, dequantize_reference, import_file, random_tensor, tiny_model

KINDS = ("Q4_0", "Q4_1", "Q8_0", "F16", "BF16", "F32")

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTSIDE_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def logits_of_folder(folder: Path, tokens: list[int]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the logits of the model as stock mlx_lm loads it, computed in float32, since the CPU needs it."""
    model, _ = mlx_lm.load(str(folder))
    model.set_dtype(mx.float32)
    return np.array(model(mx.array([tokens]))[0])


def logits_of_file(path: Path, tokens: list[int], **arguments: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the logits of the weights in the GGUF file, in llama.cpp's order of rows and with its RoPE variant."""
    header, content = read_header(path), path.read_bytes()
    weights = {}
    for tensor in header.tensors:
        data = content[tensor.offset : tensor.offset + tensor.size_bytes]
        weights[network_name(tensor.name)] = mx.array(dequantize_reference(tensor.type, tensor.shape, data))
    kind = header.metadata["general.architecture"]
    module = importlib.import_module(f"mlx_lm.models.{kind}")
    fields = {"model_type": kind, "tie_word_embeddings": "lm_head.weight" not in weights, **arguments}
    model = module.Model(module.ModelArgs.from_dict({**fields, "rope_traditional": kind == "llama"}))
    model.load_weights(list(weights.items()))
    return np.array(model(mx.array([tokens]))[0])


def network_name(name: str) -> str:
    stem, _, part = name.rpartition(".")
    if stem in OUTSIDE_NAMES:
        return f"{OUTSIDE_NAMES[stem]}.{part}"
    _, layer, module = stem.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[module]}.{part}"


TINY = {
    "hidden_size": gguf_files.HIDDEN,
    "intermediate_size": gguf_files.FEED_FORWARD,
    "num_hidden_layers": gguf_files.LAYERS,
    "num_attention_heads": gguf_files.HEADS,
    "num_key_value_heads": gguf_files.KV_HEADS,
    "vocab_size": len(gguf_files.tiny_tokenizer()["tokenizer.ggml.tokens"]),
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
}


def test_the_starter_model_has_the_logits_of_its_file(starter_model: Path) -> None:
    """They match the weights of the GGUF file that it was imported from."""
    source = starter_gguf()
    assert source is not None
    tokens = [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2, 198]
    sizes = {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "vocab_size": 49152,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100000.0,
    }
    expected = logits_of_file(source, tokens, **sizes)
    assert np.abs(logits_of_folder(starter_model, tokens) - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_imported_model_has_the_logits_of_its_file(architecture: str, kind: str, tmp_path: Path) -> None:
    """This holds for each architecture with each type of weights."""
    source = tiny_model(architecture, kind).write(tmp_path / "model.gguf")
    tokens = [1, 60, 7, 201, 99, 2, 60]
    expected = logits_of_file(source, tokens, **TINY, head_dim=gguf_files.head_size(architecture))
    actual = logits_of_folder(import_file(source, tmp_path / "model"), tokens)
    assert np.abs(actual - expected).max() < 1e-4 * np.abs(expected).max()


def test_an_untied_model_of_mixed_types_has_the_logits_of_its_file(tmp_path: Path) -> None:
    """The output layer is separate from the embedding, and tensors differ in type and bits."""
    written = tiny_model(kind="Q8_0", tied=False)
    rng = np.random.default_rng(5)
    written.tensors["blk.1.ffn_up.weight"] = random_tensor(rng, "Q4_0", gguf_files.FEED_FORWARD, gguf_files.HIDDEN)
    written.tensors["blk.0.attn_q.weight"] = random_tensor(rng, "F16", 4 * 32, gguf_files.HIDDEN)
    source = written.write(tmp_path / "model.gguf")
    tokens = [1, 60, 7, 201]
    folder = import_file(source, tmp_path / "model")

    expected = logits_of_file(source, tokens, **TINY, head_dim=32)

    assert np.abs(logits_of_folder(folder, tokens) - expected).max() < 1e-4 * np.abs(expected).max()
    assert describe(folder, "tiny").quantization == "mixed 4/8-bit g32"


def test_weights_are_imported_without_rounding(tmp_path: Path) -> None:
    """After dequantization by MLX, each row equals the row in the file."""
    written = tiny_model("qwen3", "Q4_0")
    folder = import_file(written.write(tmp_path / "model.gguf"), tmp_path / "model")
    arrays = mx.load(str(folder / "model.safetensors"))
    for name, tensor in written.tensors.items():
        stem = network_name(name).removesuffix(".weight")
        actual = arrays[f"{stem}.weight"]
        if tensor.type == "Q4_0":
            scales, biases = (arrays[f"{stem}.{part}"].astype(mx.float32) for part in ("scales", "biases"))
            actual = mx.dequantize(actual, scales, biases, group_size=32, bits=4)
        assert np.array_equal(
            np.array(actual.astype(mx.float32)), dequantize_reference(tensor.type, tensor.shape, tensor.data)
        ), name


@pytest.mark.parametrize(("kind", "dtype"), [("Q4_0", mx.float16), ("BF16", mx.bfloat16), ("F32", mx.float32)])
def test_vectors_get_the_models_type_if_it_is_exact(kind: str, dtype: mx.Dtype, tmp_path: Path) -> None:
    """Norms that llama.cpp has widened are narrowed again. A vector with any inexact value stays float32."""
    written = tiny_model(kind=kind)
    inexact = np.full(gguf_files.HIDDEN, 1 + 2**-20, "<f4")
    written.tensors["blk.0.attn_norm.weight"] = Tensor("F32", inexact.shape, inexact.tobytes())
    folder = import_file(written.write(tmp_path / "model.gguf"), tmp_path / "model")

    arrays = mx.load(str(folder / "model.safetensors"))

    assert arrays["model.norm.weight"].dtype == dtype
    assert arrays["model.layers.0.input_layernorm.weight"].dtype == mx.float32
