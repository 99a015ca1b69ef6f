"""How long the library takes to be read: for the first time, and again when nothing, or one model, has changed.

    python -m tests.benchmarks.library [--models 1000] [--repetitions 5]

Each model is a folder with a configuration, a tokenizer and a header of some 400 tensors, as an 8B model in 4 bits has.
Every run is a process of its own; the disk's cache is warm throughout. Aim: at most 0.3 s for 1,000 where nothing has
changed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlx_engine.models.files.safetensors import compose_header
from mlx_engine.models.library.library import scan
from mlx_engine.models.library.locations import Root

_layers, _hidden = 32, 64


def write_models(folder: Path, count: int) -> None:
    """Write so many model folders; the weights are holes in their files."""
    group = ("F16", (_hidden, 1))
    tensors = {"model.embed_tokens.weight": ("BF16", (100, _hidden))}
    for layer in range(_layers):
        for name in ("self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.down_proj"):
            path = f"model.layers.{layer}.{name}"
            tensors |= {f"{path}.weight": ("U32", (_hidden, 8)), f"{path}.scales": group, f"{path}.biases": group}
    header, places = compose_header(tensors)
    size = max(place.offset + place.size_bytes for place in places.values())
    config = {"model_type": "llama", "num_hidden_layers": _layers, "max_position_embeddings": 4096}
    config_text = json.dumps(config | {"quantization": {"bits": 4, "group_size": 64}})
    for number in range(count):
        model = folder / f"owner{number % 50}" / f"model-{number}"
        model.mkdir(parents=True)
        (model / "config.json").write_text(config_text)
        (model / "tokenizer.json").write_text("{}")
        (model / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
        (model / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
        with (model / "model.safetensors").open("wb") as file:
            file.write(header)
            file.truncate(size)


def time_survey(folder: Path, cache: Path) -> float:
    """Return the seconds that one reading takes, in a fresh process, imports aside."""
    command = [sys.executable, "-m", "tests.benchmarks.library", "--once", str(folder), str(cache)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def once(folder: Path, cache: Path) -> None:
    started = time.perf_counter()
    scan([Root("facet", folder)], cache)
    print(time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--once", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        once(*options.once)
        return
    with tempfile.TemporaryDirectory() as home:
        folder, cache = Path(home) / "models", Path(home) / "library.json"
        write_models(folder, options.models)
        times: dict[str, list[float]] = {"nothing known": [], "nothing changed": [], "one model changed": []}
        for _ in range(options.repetitions):
            cache.unlink(missing_ok=True)
            times["nothing known"].append(time_survey(folder, cache))
            times["nothing changed"].append(time_survey(folder, cache))
            (folder / "owner0" / "model-0" / "config.json").touch()
            times["one model changed"].append(time_survey(folder, cache))
    print(f"reading {options.models:,} model folders, median of {options.repetitions}:")
    for name, seconds in times.items():
        print(f"  {name:20}{statistics.median(seconds):8.3f} s")


if __name__ == "__main__":
    main()
