"""Download-and-convert ÷ a download, then the conversion: `python -m tests.benchmarks.convert_download`.

    python -m tests.benchmarks.convert_download [--megabytes 600] [--files 6] [--runs 3] [--recipe 4bit]
        [--rate 10]

Both bring a llama of random bfloat16 weights in so many files from a Hub on loopback, in turns, each by one job process
into an empty cache, timed from its start to the end of the conversion. The first pair does not count. The peak is that
of all files below the home, cache and models, looked at twenty times a second by their blocks. The third way removes
the original's files as they are used. `--rate` is what the Hub sends at most, in MB/s for each of the four files at a
time: on loopback the processor is what both wait for, and there is little to win.
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

WAYS = ("one after the other", "at the same time", "removing")
_LAYER_BYTES = 2 * (4 * 1024 * 1024 + 3 * 1024 * 4096)


@dataclass(frozen=True, slots=True)
class Taken:
    wall_s: float
    peak_bytes: int


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=600)
    options.add_argument("--files", type=int, default=6)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--recipe", default="4bit")
    options.add_argument("--rate", type=float, default=0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_repository(folder / "repository", folder / "tiny", chosen.megabytes * 10**6, chosen.files)
        print(f"{size / 1e9:.2f} GB in {chosen.files} files, {chosen.recipe}, {chosen.rate or 'any'} MB/s each")
        with serving(folder / "repository", round(chosen.rate * 1e6)) as endpoint:
            os.environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home" / "hub")}
            runs = [one_of_each(folder / "home", chosen.recipe) for _ in range(chosen.runs + 1)][1:]
    for way in WAYS:
        wall = statistics.median(run[way].wall_s for run in runs)
        ratio = statistics.median(run[way].wall_s / run[WAYS[0]].wall_s for run in runs)
        peak = max(run[way].peak_bytes for run in runs)
        print(f"{way:20} {wall:6.1f} s, ratio {ratio:.2f}, peak on disk {peak / 1e9:.2f} GB = {peak / size:.2f} x")


def one_of_each(home: Path, name: str) -> dict[str, Taken]:
    """Go each way once, from nothing."""
    target = str(home / "models" / "large")
    wanted = Convert(
        id="c", source="", target=target, model_id="models/large", recipe=recipe(name), repository=REPOSITORY
    )
    ways: dict[str, Callable[[], None]] = {
        WAYS[0]: lambda: one_after_the_other(wanted, home),
        WAYS[1]: lambda: alone(wanted, home),
        WAYS[2]: lambda: alone(msgspec.structs.replace(wanted, remove_source=True), home),
    }
    return {way: measured(go, home) for way, go in ways.items()}


def alone(wanted: Convert, home: Path) -> None:
    with closing(Process(home)) as process:
        process.answer(wanted)


def one_after_the_other(wanted: Convert, home: Path) -> None:
    with closing(Process(home)) as process:
        done = process.answer(Download(id="d", repository=REPOSITORY))
        assert isinstance(done, Downloaded)
        process.answer(msgspec.structs.replace(wanted, source=done.path, commit=done.commit))


class Process:
    """A job process that may reach the Hub."""

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


def measured(go: Callable[[], None], home: Path) -> Taken:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    os.sync()
    ended, peaks = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.05):
            peaks.append(used_bytes(home))

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.perf_counter()
    go()
    wall_s = time.perf_counter() - started
    ended.set()
    watching.join()
    return Taken(wall_s, max(peaks))


def used_bytes(folder: Path) -> int:
    """Return what the files take on the disk; links take nothing, and neither do holes."""
    blocks = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                blocks += Path(parent, name).lstat().st_blocks
    return 512 * blocks


def write_repository(folder: Path, tiny: Path, size_bytes: int, files: int) -> int:
    """Write a llama of so many random bytes, about; return the size of all files."""
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
    places = {}
    for number in range(files):
        name = f"model-{number + 1:05}-of-{files:05}.safetensors"
        some = dict(arrays[len(arrays) * number // files : len(arrays) * (number + 1) // files])
        header, placed = compose_header(some)
        (folder / name).write_bytes(header + _weights(sum(entry.size_bytes for entry in placed.values()) // 2))
        places |= dict.fromkeys(some, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
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
    """Return random numbers in bfloat16, all finite."""
    numbers = np.random.default_rng(0).standard_normal(count, np.float32) * np.float32(0.02)
    return (numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes()


if __name__ == "__main__":
    main()
