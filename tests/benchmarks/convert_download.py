"""Compares a conversion during a download with a download and then a conversion.

    python -m tests.benchmarks.convert_download [--megabytes 600] [--files 6] [--runs 3] [--recipe 4bit]
        [--rate 10]

Both get a Llama with random bfloat16 weights from a Hub on loopback, in alternation, each with a new job process and an
empty cache; the time includes the start of the process. The first pair is not counted. The peak is the disk space of
all files in the home, cache and models, sampled twenty times a second. The third variant removes the original's files
after use. `--rate` limits each of the four concurrent files, in MB/s; without a limit, loopback is bound by the CPU,
and there is little to gain.
"""

import argparse
import contextlib
import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, JobRequest
from mlx_engine.hub_messages import Download, Downloaded
from mlx_engine.models.files.safetensors import compose_header
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.recipes.builtin import recipe
from tests import tiny_models
from tests.benchmarks.download import REPOSITORY, serving

VARIANTS = ("sequential", "concurrent", "removing source")
_LAYER_BYTES = 2 * (4 * 1024 * 1024 + 3 * 1024 * 4096)


@dataclass(frozen=True, slots=True)
class Cost:
    wall_s: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=600)
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--recipe", default="4bit")
    parser.add_argument("--rate", type=float, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_repository(folder / "repository", folder / "tiny", options.megabytes * 10**6, options.files)
        rate = f"{options.rate:g} MB/s each" if options.rate else "no rate limit"
        print(f"{size / 1e9:.2f} GB in {options.files} files, {options.recipe}, {rate}")
        with serving(folder / "repository", round(options.rate * 1e6)) as endpoint:
            os.environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home" / "hub")}
            runs = [run_variants(folder / "home", options.recipe) for _ in range(options.runs + 1)][1:]
    for variant in VARIANTS:
        wall = statistics.median(run[variant].wall_s for run in runs)
        ratio = statistics.median(run[variant].wall_s / run[VARIANTS[0]].wall_s for run in runs)
        peak = max(run[variant].peak_bytes for run in runs)
        print(f"{variant:20} {wall:6.1f} s, ratio {ratio:.2f}, peak on disk {peak / 1e9:.2f} GB = {peak / size:.2f} x")


def run_variants(home: Path, name: str) -> dict[str, Cost]:
    """Run each variant once, with an empty home."""
    target = str(home / "models" / "large")
    request = Convert(
        id="c", source="", target=target, model_id="models/large", recipe=recipe(name), repository=REPOSITORY
    )
    variants: dict[str, Callable[[], None]] = {
        VARIANTS[0]: lambda: download_then_convert(request, home),
        VARIANTS[1]: lambda: convert_during_download(request, home),
        VARIANTS[2]: lambda: convert_during_download(msgspec.structs.replace(request, remove_source=True), home),
    }
    return {variant: measure(run, home) for variant, run in variants.items()}


def convert_during_download(request: Convert, home: Path) -> None:
    with closing(Process(home)) as process:
        process.answer(request)


def download_then_convert(request: Convert, home: Path) -> None:
    with closing(Process(home)) as process:
        done = process.answer(Download(id="d", repository=REPOSITORY))
        assert isinstance(done, Downloaded)
        process.answer(msgspec.structs.replace(request, source=done.path, commit=done.commit))


class Process:
    """A job process with access to the Hub."""

    def __init__(self, home: Path) -> None:
        self._events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
        self._client = start_job(self._events.put, logs=home.parent / "logs")

    def answer(self, request: JobRequest) -> JobEvent:
        self._client.send(request)
        while isinstance(event := self._events.get(), PROGRESS):
            pass
        if isinstance(event, RequestFailed):
            raise SystemExit(f"{event.title}: {event.message}")
        return event

    def close(self) -> None:
        self._client.close()
        self._client.join(10)


def measure(run: Callable[[], None], home: Path) -> Cost:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    os.sync()
    ended, peaks = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.05):
            peaks.append(used_bytes(home))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    run()
    wall_s = time.perf_counter() - started
    ended.set()
    watcher.join()
    return Cost(wall_s, max(peaks))


def used_bytes(folder: Path) -> int:
    """Return the disk space of all files, without links and holes."""
    blocks = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                blocks += Path(parent, name).lstat().st_blocks
    return 512 * blocks


def write_repository(folder: Path, tiny: Path, size_bytes: int, files: int) -> int:
    """Write a Llama with about `size_bytes` of random weights; return the size of all files."""
    subprocess.run([sys.executable, str(Path(tiny_models.__file__)), str(tiny)], check=True)
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny / "llama" / name, folder)
    layers = max(files, size_bytes // _LAYER_BYTES)
    config = json.loads((tiny / "llama" / "config.json").read_text())
    heads = {"num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 128}
    sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": layers, "vocab_size": 16384}
    (folder / "config.json").write_text(json.dumps(config | heads | sizes))
    arrays = list(_arrays(layers))
    weight_map = {}
    for number in range(files):
        name = f"model-{number + 1:05}-of-{files:05}.safetensors"
        part = dict(arrays[len(arrays) * number // files : len(arrays) * (number + 1) // files])
        header, layout = compose_header(part)
        (folder / name).write_bytes(header + _weights(sum(entry.size_bytes for entry in layout.values()) // 2))
        weight_map |= dict.fromkeys(part, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return sum(file.stat().st_size for file in folder.iterdir())


def _arrays(layers: int) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    yield "model.embed_tokens.weight", ("BF16", (16384, 1024))
    for layer in range(layers):
        for name in "qkvo":
            yield f"model.layers.{layer}.self_attn.{name}_proj.weight", ("BF16", (1024, 1024))
        for name, shape in {"gate": (4096, 1024), "up": (4096, 1024), "down": (1024, 4096)}.items():
            yield f"model.layers.{layer}.mlp.{name}_proj.weight", ("BF16", shape)
        for name in ("input", "post_attention"):
            yield f"model.layers.{layer}.{name}_layernorm.weight", ("BF16", (1024,))
    yield "model.norm.weight", ("BF16", (1024,))


def _weights(count: int) -> bytes:
    """Return finite random bfloat16 numbers."""
    numbers = np.random.default_rng(0).standard_normal(count, np.float32) * np.float32(0.02)
    return (numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes()


if __name__ == "__main__":
    main()
