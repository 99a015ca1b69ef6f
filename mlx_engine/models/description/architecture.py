"""The architectures that the installed mlx-lm runs, determined from its source files without importing them.

Importing mlx_lm loads MLX, takes 1.5 s and lowers the process's limit of open files. A fixed list would be outdated by
its next release.
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
_word = re.compile(r"[^\W\d]\w*")
_declaration = re.compile(r"^    \w+: .*$", re.MULTILINE)
_sibling_import = re.compile(r"^ *from \.(\w*) import (.+)$", re.MULTILINE)
_windowed_caches = ("RotatingKVCache", "ChunkedKVCache")


@dataclass(frozen=True, slots=True)
class Implementation:
    """The mlx-lm module that runs an architecture. `has_windows`: some of its layers may have a sliding window.

    `unpacked_scales` are the scale tensors of other quantizers that the module unpacks itself. `names` are all names in
    its source and in that of the networks that it builds on, without settings that are declared but not read.
    """

    module: str
    has_windows: bool
    unpacked_scales: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def find_implementation(architecture: str, classes: tuple[str, ...] = ()) -> Implementation | None:
    """Return the implementation for this `model_type`, or None if there is none.

    `classes` are the `architectures` of its configuration, which distinguish models that share a type.
    """
    by_type, by_class = _remappings()
    modules = (by_class.get((architecture, name)) for name in classes)
    return _implementation(next(filter(None, modules), None) or by_type.get(architecture, architecture))


@functools.cache
def _implementation(module: str) -> Implementation | None:
    folder = _package_folder()
    if folder is None or not _module_name.fullmatch(module):
        return None
    try:
        source = (folder / "models" / f"{module}.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    # Modules of shared layers are in the same folder. One model (olmo) needs a package that may be missing.
    if not _model.search(source) or not all(map(_is_installed, _imports(source))):
        return None
    return Implementation(
        module,
        has_windows=any(cache in source for cache in _windowed_caches),
        unpacked_scales=frozenset(scale for scale in SCALES if scale in source),
        names=_names(folder / "models", module),
    )


def _names(folder: Path, module: str) -> frozenset[str]:
    names: set[str] = set()
    pending, seen = [module], set[str]()
    while pending:
        seen.add(current := pending.pop())
        path = folder / f"{current}.py"
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        if not _model.search(source):  # Layers that networks share read no configuration.
            continue
        names |= set(_word.findall(_declaration.sub("", source)))
        for sibling, imported in _sibling_import.findall(source):
            pending += {sibling} - seen if sibling else set(_word.findall(imported)) - seen
    return frozenset(names)


def _imports(source: str) -> set[str]:
    """Return the packages that the module imports."""
    return set(re.findall(r"^(?: {4})?(?:import|from) (\w+)", source, re.MULTILINE))


@functools.cache
def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@functools.cache
def _package_folder() -> Path | None:
    spec = importlib.util.find_spec("mlx_lm")
    return Path(spec.origin).parent if spec and spec.origin else None


@functools.cache
def _remappings() -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Return mlx-lm's tables of architectures that run as another one: by type, and by type and class."""
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
