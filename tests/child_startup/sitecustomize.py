"""Halves the start of child processes in a test run; Python imports this module before anything else.

`import transformers` scans all of its 1,500 modules for public names. The first child of a run does so too, and stores
the result for the others in the folder FACET_TEST_RUN. See `pytest_configure` in `tests/conftest.py`.
"""

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

Scan = Callable[[str, str | None], Any]


class Finder:
    """Import hook for the module with the scan; removes itself on first use."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "transformers.utils.import_utils":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            module.define_import_structure = once(module.define_import_structure)

        spec.loader.exec_module = exec_module
        return spec


def once(scan: Scan) -> Scan:
    """Return `scan` with a cache that all processes of the run share."""

    def scan_once(module_path: str, prefix: str | None = None) -> Any:
        file = Path(os.environ["FACET_TEST_RUN"]) / f"{module_path}-{prefix}".replace(os.sep, "-")
        if not file.exists():
            part = file.with_name(f"{file.name}.{os.getpid()}")
            part.write_bytes(pickle.dumps(scan(module_path, prefix)))
            part.replace(file)
        return pickle.loads(file.read_bytes())  # noqa: S301 - written by the same run

    return scan_once


if "FACET_TEST_RUN" in os.environ:
    sys.meta_path.insert(0, Finder())
