"""Complete model folders of a few hundred kilobytes each, with random weights, a tokenizer and a chat template.

`python tests/tiny_models.py FOLDER` writes one folder per architecture. It runs as a child process, so that tests of
the window never import MLX. The weights are reproducible, and float32, so that results on the CPU are exact.

    llama        full attention
    llama-wide   the same with wider heads, so that the KV cache can have 8 or 4 bits
    llama-4bit   the weights of llama in 4 bits, with groups of 32 and float16 scales
    qwen3        full attention; thinks, and its template drops earlier thinking
    gemma3       sliding windows of 32 tokens; its template refuses a system message
    gemma3n      the last layers share the keys and values of earlier ones
    lfm2         convolution states mixed with attention
    mamba2       recurrent states only
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

CONTEXT_LENGTH = 2048
ARCHITECTURES = ("llama", "llama-wide", "llama-4bit", "qwen3", "gemma3", "gemma3n", "lfm2", "mamba2")

_chatml = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_thinking_chatml = _chatml.replace(
    "assistant\n{% endif %}",
    "assistant\n{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
)
_without_system = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles alternate') }}{% endif %}"
    "<|im_start|>{{ 'model' if message.role == 'assistant' else 'user' }}\n{{ message.content | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
)

_attention: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": CONTEXT_LENGTH,
    "tie_word_embeddings": True,
}
_configs: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **_attention},
    "llama-wide": {"model_type": "llama", **_attention, "head_dim": 32},
    "qwen3": {"model_type": "qwen3", **_attention},
    "gemma3": {
        "model_type": "gemma3_text",
        **_attention,
        "query_pre_attn_scalar": 16,
        "sliding_window": 32,
        "sliding_window_pattern": 2,
    },
    "gemma3n": {
        "model_type": "gemma3n",
        "text_config": {
            **_attention,
            "model_type": "gemma3n_text",
            "vocab_size": 384,
            "vocab_size_per_layer_input": 384,
            "num_kv_shared_layers": 2,
            "sliding_window": 32,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "rope_local_base_freq": 10000.0,
            "final_logit_softcapping": 30.0,
            "activation_sparsity_pattern": [0.0] * 4,
            "hidden_size_per_layer_input": 16,
            "altup_num_inputs": 2,
            "altup_coef_clip": 120.0,
            "altup_correct_scale": True,
            "altup_active_idx": 0,
            "laurel_rank": 8,
        },
    },
    "lfm2": {
        "model_type": "lfm2",
        **_attention,
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 64,
        "block_ff_dim": 128,
        "block_multiple_of": 32,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention", "conv", "full_attention"],
    },
    "mamba2": {
        "model_type": "mamba2",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_heads": 8,
        "head_dim": 16,
        "state_size": 16,
        "n_groups": 1,
        "conv_kernel": 4,
        "layer_norm_epsilon": 1e-5,
        "use_bias": False,
        "use_conv_bias": True,
        "tie_word_embeddings": True,
        "time_step_limit": [0.0, 100.0],
        "time_step_rank": 4,
        "max_position_embeddings": CONTEXT_LENGTH,
    },
}

_corpus = [
    "A language model reads a text and says which token is likely to come next, again and again.",
    "The user writes a question, the assistant answers; the system says how it should answer.",
    "Once upon a time there was a small model that lived on a small machine and answered every question.",
    "Numbers such as 1, 2, 3, 10, 100 and 1,000 and words such as the, and, of, to, in, that and it are common.",
]


def build_all(folder: Path) -> None:
    """Write every architecture to `folder`."""
    for name, config in _configs.items():
        _build(folder / name, name, config)
    _build(folder / "llama-4bit", "llama", _configs["llama"], bits=4)


def _build(folder: Path, name: str, config: dict[str, Any], *, bits: int = 0) -> None:
    import mlx.core as mx  # noqa: PLC0415
    from mlx import nn  # noqa: PLC0415
    from mlx.utils import tree_flatten, tree_map  # noqa: PLC0415

    folder.mkdir(parents=True)
    template = {"qwen3": _thinking_chatml, "gemma3": _without_system}.get(name, _chatml)
    vocabulary, end = _write_tokenizer(folder, template, thinking=name == "qwen3")
    config = {**config, "vocab_size": vocabulary, "eos_token_id": end}

    module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
    mx.random.seed(7)
    network = module.Model(module.ModelArgs.from_dict(config))
    # A wider spread than that of new weights, so that the most likely token varies.
    network.update(tree_map(lambda weight: weight + 0.15 * mx.random.normal(weight.shape), network.parameters()))
    if bits:
        network.set_dtype(mx.float16)
        nn.quantize(network, group_size=32, bits=bits)
        config["quantization"] = {"group_size": 32, "bits": bits}
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    weights = dict(tree_flatten(network.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})


def _write_tokenizer(folder: Path, template: str, *, thinking: bool) -> tuple[int, int]:
    """Write a byte-level BPE tokenizer; return the size of its vocabulary and the id of its end token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus, trainer)
    if thinking:
        tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in ("<think>", "</think>")])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|im_end|>",
        "chat_template": template,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT_LENGTH,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
    return tokenizer.get_vocab_size(), tokenizer.token_to_id("<|im_end|>")


if __name__ == "__main__":
    build_all(Path(sys.argv[1]))
