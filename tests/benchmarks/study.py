"""A whole study, unattended: the starter model against nine of its quantizations, on the small corpus.

    python -m tests.benchmarks.study [--tokens 8192] [--home FOLDER]

The starter's weights are 4-bit already, so the original is what they stand for, in float16, made first. Everything is
made and measured by `facet convert` and `facet lab run` in a home of its own, which is kept where one is named; the
table, the gates' judgement and the wall time are told. It is to end within 20 minutes on 2 cores.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import msgspec

from mlx_engine.cli.main import main as facet
from mlx_engine.folders import Folders
from mlx_engine.measure.plan import Gates, Plan
from mlx_engine.measure.speed_result import SpeedPlan
from mlx_engine.models import starter

_recipes = (
    "affine-8-g64",
    "affine-6-g64",
    "affine-5-g64",
    "affine-4-g32",
    "affine-4-g64",
    "affine-3-g64",
    "balanced-4",
    "mixed_4_6",
    "nvfp4",
)


def main() -> None:
    """Run the study and print what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    if options.home:
        _run(options.home.absolute(), options.tokens)
        return
    with tempfile.TemporaryDirectory() as home:
        _run(Path(home), options.tokens)


def _run(home: Path, tokens: int) -> None:
    os.environ["FACET_HOME"] = str(home)
    began = time.monotonic()
    model = starter.prepare(Folders.from_environment()).path
    maker = home / "models" / "starter"
    facet(["convert", str(model), "--recipe", "f16", "--out", str(maker)])
    (folder,) = maker.iterdir()
    plan = Plan(
        name="starter",
        original=str(folder),
        recipes=_recipes,
        limit_tokens=tokens,
        speed=SpeedPlan(prompts=(128,), depths=(0,), decode_tokens=32, repetitions=3),
        gates=Gates(max_mean_kl=0.1, prefer="smallest"),
    )
    file = home / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    facet(["lab", "run", str(file)])
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
