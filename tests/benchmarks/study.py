"""A whole study, unattended: the starter model against nine of its quantizations, on the small corpus, with speeds.

    python -m tests.benchmarks.study [--tokens 8192] [--home FOLDER]

The starter's weights are 4-bit already, so the original is what they stand for, in float16, made first. Everything is
made and measured by `facet convert` and `facet lab run` in a home of its own, which is kept where one is named: there,
the same command goes on after a stop, and measures disturbed speeds again. The judgement, the report in Markdown and
the wall time are told. It is to end within 20 minutes on 2 cores that nobody else uses.

Speeds are of 128 tokens read and 32 written. MLX's CPU backend computes unpacked weights, so there they say nothing of
what bits gain on a Mac.
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

_recipes = (
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
_name = "starter"


def main() -> int:
    """Run the study and print what it says; return its exit code."""
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
    began = time.monotonic()
    plan = StudyPlan(
        name=_name,
        original=str(_original(home / "originals")),
        recipes=_recipes,
        limit_tokens=tokens,
        speed=SpeedPlan(prompts=(128,), depths=(0,), decode_tokens=32, repetitions=3),
        gates=Gates(max_mean_kl=0.1, prefer="smallest"),
    )
    file = home / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    code = facet(["lab", "run", str(file)])
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write("\n")
    facet(["lab", "report", _name])
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
