"""Compares Facet's conversion with stock `mlx_lm.convert`: time, peak resident memory, and equality of the results.

    python -m tests.benchmarks.convert [--repetitions 3] [--recipe RECIPE] [--growth] [--folder FOLDER]

The models have random bfloat16 weights and realistic shapes: a Llama of 2.4 GB and a mixture of experts of 2.7 GB. They
have the layout of the Hub's cache, with digests as file names; in other folders Facet computes the digest, about half a
second of CPU time per gigabyte. Each conversion runs in a new process, imports included, in alternation; medians are
reported. Memory is the peak resident set size of the process. CPU time is reported too, because other work on the
computer affects it less. The disk cache is warm. `--growth` shows Facet's peak for models of 0.6, 1.2, 2.4 and 4.8 GB.
Goals: affine and mixed recipes take at most 0.8 of the time and 0.2 of the memory (0.3 for experts), mxfp4 at most 0.5
and 0.1; no tensor differs.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx_engine.models.files.safetensors import compose_header, read_header

_hidden, _feed_forward, _vocabulary, _experts, _expert = 2048, 8192, 32000, 32, 768
_config: dict[str, Any] = {
    "hidden_size": _hidden,
    "intermediate_size": _feed_forward,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
    "vocab_size": _vocabulary,
    "torch_dtype": "bfloat16",
}
_mixture: dict[str, Any] = {
    "num_experts": _experts,
    "num_experts_per_tok": 4,
    "moe_intermediate_size": _expert,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "norm_topk_prob": True,
}

Shapes = dict[str, tuple[int, ...]]

_stock = {
    "4bit": "quantize=True",
    "mixed_4_6": "quantize=True, quant_predicate='mixed_4_6', q_group_size=64",
    "mxfp4": "quantize=True, q_mode='mxfp4'",
}
_stock_program = """
import sys
from mlx_lm.convert import convert
convert(sys.argv[1], sys.argv[2], {arguments})
"""
_our_program = """
import sys
from pathlib import Path
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.folder import FolderSource
for _ in convert(FolderSource(Path(sys.argv[1])), Path(sys.argv[2]), recipe({name!r})):
    pass
"""
_peak_program = """
import resource
from pathlib import Path
status = Path("/proc/self/status")
if status.exists():  # ru_maxrss includes the parent's memory at the fork
    peak_kb = int(status.read_text().partition("VmHWM:")[2].split()[0])
else:
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print("peak", peak_kb)
"""


@dataclass(frozen=True, slots=True)
class Run:
    seconds: float
    cpu_s: float
    peak_mb: float


def write_model(folder: Path, tokenizer: Path, *, layers: int, mixture: bool = False) -> Path:
    """Write a model with the given number of layers."""
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    kind = {"model_type": "qwen3_moe", **_mixture} if mixture else {"model_type": "llama"}
    (folder / "config.json").write_text(json.dumps(kind | _config | {"num_hidden_layers": layers}))
    shapes = _shapes(layers, mixture=mixture)
    header, entries = compose_header({name: ("BF16", shape) for name, shape in shapes.items()})
    numbers = np.random.default_rng(1).normal(scale=0.02, size=2**24).astype(np.float32)
    block = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    missing = sum(entry.elements for entry in entries.values())
    digest = hashlib.sha256(header)
    blobs = folder.with_name("blobs")
    blobs.mkdir(exist_ok=True)
    with (blobs / "incomplete").open("wb") as file:
        file.write(header)
        while missing > 0:
            data = block[:missing].tobytes()
            file.write(data)
            digest.update(data)
            missing -= len(block)
            block = np.roll(block, 9973)
    (folder / "model.safetensors").symlink_to((blobs / "incomplete").rename(blobs / digest.hexdigest()))
    return folder


def _shapes(layers: int, *, mixture: bool) -> Shapes:
    shapes: Shapes = {"model.embed_tokens.weight": (_vocabulary, _hidden), "model.norm.weight": (_hidden,)}
    for layer in range(layers):
        path = f"model.layers.{layer}"
        shapes |= {f"{path}.{name}.weight": (_hidden,) for name in ("input_layernorm", "post_attention_layernorm")}
        for name, rows in {"q_proj": 2048, "k_proj": 512, "v_proj": 512, "o_proj": 2048}.items():
            shapes[f"{path}.self_attn.{name}.weight"] = (rows, _hidden)
        if mixture:
            shapes |= {f"{path}.self_attn.{name}.weight": (64,) for name in ("q_norm", "k_norm")}
            shapes[f"{path}.mlp.gate.weight"] = (_experts, _hidden)
        feed_forwards = [f"{path}.mlp.experts.{expert}" for expert in range(_experts)] if mixture else [f"{path}.mlp"]
        width = _expert if mixture else _feed_forward
        for feed_forward in feed_forwards:
            shapes |= {f"{feed_forward}.{name}.weight": (width, _hidden) for name in ("gate_proj", "up_proj")}
            shapes[f"{feed_forward}.down_proj.weight"] = (_hidden, width)
    return shapes


def run(program: str, source: Path, target: Path) -> Run:
    """Run a conversion in a child process, after removing the target."""
    shutil.rmtree(target, ignore_errors=True)
    log = target.parent / "output.txt"
    with log.open("wb") as output:
        started = time.perf_counter()
        command = [sys.executable, "-c", program + _peak_program, str(source), str(target)]
        child = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
    if status:
        sys.exit(log.read_text())
    return Run(seconds, usage.ru_utime + usage.ru_stime, int(log.read_text().split()[-1]) / 1e3)


def compare(source: Path, recipe: str, folder: Path, repetitions: int) -> None:
    """Print a line of the table."""
    ours: list[Run] = []
    stock: list[Run] = []
    for _ in range(repetitions):
        stock.append(run(_stock_program.format(arguments=_stock[recipe]), source, folder / "stock"))
        ours.append(run(_our_program.format(name=recipe), source, folder / "ours"))
    differing, total = _count_differences(folder / "ours", folder / "stock")
    ratios = "   ".join(
        _ratio([getattr(run, field) for run in ours], [getattr(run, field) for run in stock], unit)
        for field, unit in (("seconds", "s"), ("cpu_s", "s CPU"), ("peak_mb", "MB"))
    )
    print(f"{source.name:8} {recipe:13} {ratios}   {differing} of {total} tensors differ", flush=True)


def _ratio(ours: list[float], stock: list[float], unit: str) -> str:
    our_median, stock_median = statistics.median(ours), statistics.median(stock)
    return f"{our_median:6.1f} / {stock_median:6.1f} {unit} = {our_median / stock_median:4.2f}"


def _count_differences(first: Path, second: Path) -> tuple[int, int]:
    """Return the number of tensors that differ between two folders, and the number of all tensors."""
    ours, theirs = _tensors(first), _tensors(second)
    names = ours.keys() | theirs.keys()
    return sum(not _is_equal(ours.get(name), theirs.get(name)) for name in names), len(names)


StoredTensor = tuple[str, tuple[int, ...], "np.memmap[Any, np.dtype[np.uint8]]"]


def _tensors(folder: Path) -> dict[str, StoredTensor]:
    tensors: dict[str, StoredTensor] = {}
    for file in folder.glob("model*.safetensors"):
        content = np.memmap(file, np.uint8, "r")
        for name, entry in read_header(file).items():
            tensors[name] = (entry.dtype, entry.shape, content[entry.offset : entry.offset + entry.size_bytes])
    return tensors


def _is_equal(first: StoredTensor | None, second: StoredTensor | None) -> bool:
    if first is None or second is None:
        return False
    return first[:2] == second[:2] and bool(np.array_equal(first[2], second[2]))


def show_growth(tokenizer: Path, folder: Path, recipes: list[str]) -> None:
    """Print Facet's peak memory for models of increasing size."""
    for layers in (4, 9, 19, 39):
        model = write_model(folder / f"{layers} layers", tokenizer, layers=layers)
        size_gb = (model / "model.safetensors").stat().st_size / 1e9
        peaks = [run(_our_program.format(name=name), model, folder / "ours").peak_mb for name in recipes]
        figures = "   ".join(f"{name} {peak:.0f} MB" for name, peak in zip(recipes, peaks, strict=True))
        print(f"{size_gb:.1f} GB   {figures}", flush=True)
        (model / "model.safetensors").resolve().unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--recipe", choices=list(_stock), action="append", help="default: all")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--folder", type=Path, help="folder for about 12 GB of temporary files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        program = [sys.executable, "-m", "tests.tiny_models", str(folder / "tiny")]
        subprocess.run(program, check=True)
        if options.growth:
            show_growth(folder / "tiny" / "llama", folder, options.recipe or list(_stock))
            return
        dense = write_model(folder / "llama", folder / "tiny" / "llama", layers=19)
        mixture = write_model(folder / "experts", folder / "tiny" / "llama", layers=8, mixture=True)
        for model in (dense, mixture):
            for recipe in options.recipe or _stock:
                compare(model, recipe, folder, options.repetitions)


if __name__ == "__main__":
    main()
