"""Time to scan the library: the first scan, and later scans without changes or with one changed model.

    python -m tests.benchmarks.library [--models 1000] [--repetitions 5]

Each model is a folder with a configuration, a tokenizer and a header of about 400 tensors, like a 4-bit 8B model. Each
run is a new process; the disk cache is warm. Goal: at most 0.3 s for 1,000 unchanged models.
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
    """Write `count` model folders; their weights are holes in sparse files."""
    group = ("F16", (_hidden, 1))
    tensors = {"model.embed_tokens.weight": ("BF16", (100, _hidden))}
    for layer in range(_layers):
        for name in ("self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.down_proj"):
            path = f"model.layers.{layer}.{name}"
            tensors |= {f"{path}.weight": ("U32", (_hidden, 8)), f"{path}.scales": group, f"{path}.biases": group}
    header, entries = compose_header(tensors)
    size = max(entry.offset + entry.size_bytes for entry in entries.values())
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


def time_scan(folder: Path, cache: Path) -> float:
    """Return the seconds of one scan in a new process, without imports."""
    command = [sys.executable, "-m", "tests.benchmarks.library", "--once", str(folder), str(cache)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def scan_once(folder: Path, cache: Path) -> None:
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
        scan_once(*options.once)
        return
    with tempfile.TemporaryDirectory() as home:
        folder, cache = Path(home) / "models", Path(home) / "library.json"
        write_models(folder, options.models)
        times: dict[str, list[float]] = {"first scan": [], "no changes": [], "one model changed": []}
        for _ in range(options.repetitions):
            cache.unlink(missing_ok=True)
            times["first scan"].append(time_scan(folder, cache))
            times["no changes"].append(time_scan(folder, cache))
            (folder / "owner0" / "model-0" / "config.json").touch()
            times["one model changed"].append(time_scan(folder, cache))
    print(f"scanning {options.models:,} model folders, median of {options.repetitions}:")
    for name, seconds in times.items():
        print(f"  {name:20}{statistics.median(seconds):8.3f} s")


if __name__ == "__main__":
    main()
