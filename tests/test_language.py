"""Names and docstring openings stay plain: `denied_names.toml` lists what to avoid, and why."""

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DENIED = tomllib.loads((ROOT / "tests" / "denied_names.toml").read_text(encoding="utf-8"))
PACKAGES = sorted(path for folder in ("app", "mlx_engine") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each variable, parameter, attribute, function and class that `tree` defines."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name


def objection(name: str) -> str | None:
    """Return the reason why `name` is denied, or None."""
    bare = name.strip("_").lower()
    if reason := DENIED["names"].get(bare):
        return str(reason)
    for prefix, reason in DENIED["prefixes"].items():
        if bare == prefix or bare.startswith(f"{prefix}_"):
            return str(reason)
    return next((str(reason) for end, reason in DENIED["suffixes"].items() if bare.endswith(end)), None)


def opening(docstring: str) -> str:
    return docstring.split(maxsplit=1)[0].strip(",.:…").lower()


def documented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the docstring of each module, class and function in `tree` that has one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield getattr(node, "lineno", 1), docstring


def test_names_and_docstrings_are_plain() -> None:
    """No name is denied, and no docstring opens with a question word."""
    problems = []
    for path in PACKAGES + TESTS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        file = path.relative_to(ROOT)
        problems += [
            f"{file}:{line}: {name}: {reason}" for line, name in definitions(tree) if (reason := objection(name))
        ]
        problems += [
            f"{file}:{line}: docstring opens with {opening(text)!r}: {DENIED['openings'][opening(text)]}"
            for line, text in documented(tree)
            if opening(text) in DENIED["openings"]
        ]
    assert problems == []


def test_class_names_are_unique() -> None:
    """Public classes do not share a name, except for those that `shared_class_names` explains."""
    homes = defaultdict(list)
    for path in PACKAGES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(path.relative_to(ROOT)))
    shared = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in DENIED["shared_class_names"]} == {}


def test_a_denied_name_is_noticed() -> None:
    tree = ast.parse('def tell_user(found):\n    """What the user sees."""\n    self.kept = 1\n')
    names = [name for _, name in definitions(tree) if objection(name)]
    assert sorted(names) == ["found", "kept", "tell_user"]
    assert [opening(text) in DENIED["openings"] for _, text in documented(tree)] == [True]
