"""Runs a complete study: the starter model and nine of its quantizations, on a small text, with speeds.

    python -m tests.benchmarks.study [--tokens 8192] [--home FOLDER]

The weights of the starter model are already 4-bit, so the original is their float16 version, which is created first.
`facet convert` and `facet lab run` do all the work in a temporary home. In a home set by `--home`, the same command
resumes an interrupted study and repeats disturbed measurements. Prints the best candidate, the report and the time.
Goal: 20 minutes on 2 otherwise idle cores.

Speeds are measured with 128 prompt tokens and 32 generated tokens. MLX's CPU backend computes with unpacked weights, so
they do not predict the speedup on a Mac.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from mlx_engine.cli.main import main as facet
from mlx_engine.folders import Folders
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.models.library import starter

_RECIPES = (
    "8bit",
    "6bit",
    "5bit",
    "4bit-g32",
    "4bit",
    "3bit",
    "balanced-4bit",
    "mixed_4_6",
    "nvfp4",
)
_NAME = "starter"


def main() -> int:
    """Run the study and print its report; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.home:
        return _run(options.home.absolute(), options.tokens)
    with tempfile.TemporaryDirectory() as home:
        return _run(Path(home), options.tokens)


def _run(home: Path, tokens: int) -> int:
    os.environ["FACET_HOME"] = str(home)
    start = time.monotonic()
    plan = StudyPlan(
        name=_NAME,
        original=str(_original(home / "originals")),
        recipes=_RECIPES,
        limit_tokens=tokens,
        speed=SpeedPlan(prompts=(128,), depths=(0,), decode_tokens=32, repetitions=3),
        gates=Gates(max_mean_kl=0.1, prefer="smallest"),
    )
    file = home / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    code = facet(["lab", "run", str(file)])
    minutes = (time.monotonic() - start) / 60
    sys.stdout.write("\n")
    facet(["lab", "report", _NAME])
    sys.stdout.write(f"\n{minutes:.1f} minutes\n")
    return code


def _original(folder: Path) -> Path:
    """Return the starter model in float16, converted into `folder` unless it exists."""
    source = starter.prepare(Folders.from_environment()).path
    target = folder / f"{source.name}-fp16"
    if not target.is_dir():
        facet(["convert", str(source), "--recipe", "fp16", "--out", str(folder)])
    return target


if __name__ == "__main__":
    sys.exit(main())
