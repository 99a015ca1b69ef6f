"""Tells which architectures the installed mlx-lm runs, by looking at its source files; nothing of it is imported.

Importing mlx_lm brings MLX, takes 1.5 s and lowers the process's limit of open files. A list of our own would be wrong
after its next release.
"""

import ast
import functools
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx_engine.models.description.published_weights import SCALES

_module_name = re.compile(r"[A-Za-z0-9][\w.-]*")
_model = re.compile(r"^(class Model\b|from .+ import .*\bModel\b)", re.MULTILINE)
_windowed_caches = ("RotatingKVCache", "ChunkedKVCache")


@dataclass(frozen=True, slots=True)
class Implementation:
    """How mlx-lm runs an architecture. `has_windows`: some of its layers may forget what lies too far back.

    `known_scales` are those of other programs' quantizations that it unpacks for itself.
    """

    module: str
    has_windows: bool
    known_scales: frozenset[str] = frozenset()


def find_implementation(architecture: str, classes: tuple[str, ...] = ()) -> Implementation | None:
    """Return what runs a model of this `model_type`, or None if nothing does.

    `classes` are the `architectures` of its configuration, which tell apart what shares a type.
    """
    by_type, by_class = _renamed()
    named = (by_class.get((architecture, one)) for one in classes)
    return _implementation(next(filter(None, named), None) or by_type.get(architecture, architecture))


@functools.cache
def _implementation(module: str) -> Implementation | None:
    folder = _package_folder()
    if folder is None or not _module_name.fullmatch(module):
        return None
    try:
        source = (folder / "models" / f"{module}.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    # The layers that models share are files beside them. One model (olmo) needs a package that may be missing.
    if not _model.search(source) or not all(map(_is_installed, _imports(source))):
        return None
    return Implementation(
        module,
        has_windows=any(cache in source for cache in _windowed_caches),
        known_scales=frozenset(scale for scale in SCALES if scale in source),
    )


def _imports(source: str) -> set[str]:
    """Return the packages that are imported when the module is."""
    return set(re.findall(r"^(?: {4})?(?:import|from) (\w+)", source, re.MULTILINE))


@functools.cache
def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@functools.cache
def _package_folder() -> Path | None:
    found = importlib.util.find_spec("mlx_lm")
    return Path(found.origin).parent if found and found.origin else None


@functools.cache
def _renamed() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return mlx-lm's tables of architectures that run as another one, by type and by type and class."""
    tables: dict[str, Any] = {}
    folder = _package_folder()
    try:
        tree = ast.parse((folder / "utils.py").read_bytes()) if folder else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return {}, {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as table) if name.endswith("_REMAPPING"):
                tables[name] = ast.literal_eval(table)
    return tables.get("MODEL_REMAPPING", {}), tables.get("MODEL_ARCHITECTURE_REMAPPING", {})
