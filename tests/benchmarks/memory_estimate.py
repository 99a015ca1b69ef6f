"""Compares the memory estimate with the measured peak of the engine, for five architectures and three context lengths.

    python -m tests.benchmarks.memory_estimate [--tokens 500 2000 6000] [--only llama] [--cache-bits 8]

The networks have about 30 million random weights, so that the KV cache is about as large as the weights. Each figure is
the peak of MLX's memory in a new engine during one answer. Goal: within 10 %.

This measures MLX's CPU backend in float32, not Metal.
"""

import argparse
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlx_engine.cli.session import Session
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import ModelDescription, describe
from mlx_engine.models.memory.memory import Runtime, estimate
from mlx_engine.protocol import CacheBits, ChatMessage, Finished, Prefill, Statistics
from tests.benchmarks.engine_benchmark import ask, random_text

_common: dict[str, Any] = {
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 32768,
    "vocab_size": 16000,
    "tie_word_embeddings": True,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **_common},
    "gemma3": {
        "model_type": "gemma3_text",
        **_common,
        "sliding_window": 512,
        "sliding_window_pattern": 4,
        "query_pre_attn_scalar": 64,
    },
    "mixture": {
        "model_type": "qwen3_moe",
        **_common,
        "moe_intermediate_size": 256,
        "num_experts": 8,
        "num_experts_per_tok": 2,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "norm_topk_prob": True,
    },
    "hybrid": {
        "model_type": "lfm2",
        **_common,
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 512,
        "block_ff_dim": 1536,
        "block_multiple_of": 32,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention"] * 4,
    },
    "latent": {
        "model_type": "deepseek_v3",
        **_common,
        "kv_lora_rank": 128,
        "q_lora_rank": 256,
        "qk_rope_head_dim": 32,
        "qk_nope_head_dim": 64,
        "v_head_dim": 64,
        "moe_intermediate_size": 256,
        "n_routed_experts": 8,
        "n_shared_experts": 1,
        "n_group": 1,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "rope_scaling": None,
    },
}


def build(folder: Path, tokenizer: Path) -> None:
    """Write the models to `folder`, in a process with MLX."""
    import mlx.core as mx  # noqa: PLC0415
    from mlx.utils import tree_flatten  # noqa: PLC0415

    end = json.loads((tokenizer / "config.json").read_text())["eos_token_id"]
    for name, config in CONFIGS.items():
        module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
        network = module.Model(module.ModelArgs.from_dict(config))
        network.set_dtype(mx.float16)
        path = folder / name
        path.mkdir(parents=True)
        (path / "config.json").write_text(json.dumps({**config, "eos_token_id": end}))
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tokenizer / file, path)
        mx.save_safetensors(str(path / "model.safetensors"), dict(tree_flatten(network.parameters())))


def measure(model: ModelDescription, tokens: int, bits: CacheBits) -> tuple[Statistics, list[tuple[int, int]]]:
    """Return the statistics of one answer to a prompt of about `tokens`, and its prefill steps as (end, length)."""
    steps = []
    read = 0
    with Session(model.path, Folders.from_environment(), cache_bits=bits) as session:
        question = ChatMessage("user", random_text(round(tokens / 3.9), seed=tokens))
        for _, event in ask(session, [question], max_tokens=16):
            if isinstance(event, Prefill):
                steps.append((event.done_tokens, event.done_tokens - read))
                read = event.done_tokens
            elif isinstance(event, Finished) and event.statistics:
                return event.statistics, steps
    raise RuntimeError("The engine sent no statistics.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[500, 2000, 6000])
    parser.add_argument("--only", choices=CONFIGS, nargs="+", default=list(CONFIGS))
    parser.add_argument("--cache-bits", type=int, choices=(16, 8, 4), default=16)
    parser.add_argument("--build", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(*options.build)
        return
    with tempfile.TemporaryDirectory() as folder:
        tiny, models = Path(folder) / "tiny", Path(folder) / "models"
        tiny_models = Path(__file__).parents[1] / "tiny_models.py"
        subprocess.run([sys.executable, str(tiny_models), str(tiny)], check=True)
        command = [sys.executable, "-m", "tests.benchmarks.memory_estimate", "--build", str(models)]
        subprocess.run([*command, str(tiny / "llama")], check=True)
        print("model      context    estimate    measured   ratio")
        for name in options.only:
            model = describe(models / name, f"benchmark/{name}")
            for tokens in options.tokens:
                report(name, model, tokens, options.cache_bits)


def report(name: str, model: ModelDescription, tokens: int, bits: CacheBits) -> None:
    """Print one row. The engine shortens its steps on a slow computer, so the estimate uses its actual steps."""
    statistics, steps = measure(model, tokens, bits)
    # A first answer has one large snapshot; that before the text has only a few tokens.
    runtime = Runtime(number_bytes=4, keeps_packed=False, snapshots=1, has_fused_attention=False)
    moments = [*steps, (statistics.context_tokens, 1)]
    estimates = [
        estimate(model, end, cache_bits=bits, runtime=replace(runtime, step_tokens=length)) for end, length in moments
    ]
    total_bytes, measured_bytes = max(memory.total_bytes for memory in estimates), statistics.peak_memory_bytes
    print(
        f"{name:10}{statistics.context_tokens:8,}{total_bytes / 1e6:9,.0f} MB{measured_bytes / 1e6:9,.0f} MB"
        f"{total_bytes / measured_bytes:8.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
