"""Prints how Facet's networks compare with transformers': `python -m tests.conformance [ARCHITECTURE…]`."""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES

from mlx_engine.models.description.architecture import find_implementation
from tests.conformance.cases import TEXT_PARTS, WHOLES, cases


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("architectures", nargs="*", help="model types; by default all in both libraries")
    parser.add_argument("--folder", type=Path, help="keep the models here")
    parser.add_argument("--compare", type=Path, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compare:
        from tests.conformance.compare import compare

        for path in options.compare:
            print(compare(path), flush=True)
        return
    with tempfile.TemporaryDirectory() as scratch:
        _run(options.architectures or _shared(), options.folder or Path(scratch))


def _shared() -> list[str]:
    """Return the text models; a multimodal one has the text part of one of them."""
    names = (name for name in CONFIG_MAPPING_NAMES if find_implementation(name) or name in TEXT_PARTS)
    return sorted(name for name in names if not CONFIG_MAPPING[name].sub_configs or name == "dbrx" or name in WHOLES)


def _run(architectures: list[str], folder: Path) -> None:
    from tests.conformance.models import build

    counts: Counter[str] = Counter()
    for case in cases(iter(architectures)):
        try:
            folders = build(case, folder)
        except Exception as error:  # noqa: BLE001 - transformers may fail in any way
            print(f"{case.name:44} unbuilt  {repr(error)[:200]}", flush=True)
            counts["unbuilt"] += 1
            continue
        # A process of its own: a network may end it.
        command = [sys.executable, "-m", "tests.conformance", "--compare", *map(str, folders)]
        output = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = output.stdout.splitlines()
        lines += [
            f"{path.name:44} failed   the process ended: {output.stderr[-200:]!r}" for path in folders[len(lines) :]
        ]
        for line in lines:
            print(line, flush=True)
            counts[line[45:].split()[0]] += 1
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
