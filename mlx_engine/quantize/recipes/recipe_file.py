"""Recipes as JSON files; an error names the position in the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from mlx_engine.errors import InvalidRecipe, StorageError
from mlx_engine.json_fields import path_and_problem
from mlx_engine.models.files.staging import write_whole
from mlx_engine.quantize.recipes.recipe import Dtype, Layers, Recipe, Rule, Treatment

_limit_bytes = 64 * 2**20
_legal = {
    "dtype": ", ".join(get_args(Dtype)),
    "layers": ", ".join(get_args(Layers)) + ", or the first and the last one: [0, 3]",
    "default": (_treatment := '"keep", or an object with mode, bits and group_size'),
    "treatment": _treatment,
}
"""The valid values, by field."""


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in the file `path`.

    Raises:
        InvalidRecipe: the file does not contain a valid recipe.
        StorageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_limit_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"Couldn't read the recipe {path}: {reason}.") from error
    return decode_recipe(text, path.name)


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write the recipe to the file `path`, whole or not at all, in a form that users can read and edit.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        write_whole(path, encode_recipe(recipe))
    except OSError as error:
        raise StorageError(f"Couldn't save the recipe to {path}: {error.strerror}.") from error


def encode_recipe(recipe: Recipe) -> bytes:
    """Return the recipe as JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n"


def decode_recipe(text: bytes, file_name: str) -> Recipe:
    """Return the recipe in `text`, the contents of the file `file_name`.

    Raises:
        InvalidRecipe: the text is not a valid recipe.
    """
    if len(text) > _limit_bytes:
        raise InvalidRecipe(f"{file_name} is not a valid recipe: the file is too large.")
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecipe(f"{file_name} is not a valid recipe: invalid JSON ({error}).") from error
    for path, part, expected in _parts(raw):
        _convert(part, expected, path, file_name)
    recipe = _convert(raw, Recipe, "", file_name)
    assert isinstance(recipe, Recipe)  # noqa: S101 - narrows the type
    return recipe


def _parts(raw: object) -> Iterator[tuple[str, object, Any]]:
    """Yield the parts of a recipe, innermost first: for an entry of a map, msgspec does not report the key."""
    if not isinstance(raw, dict):
        return
    if "default" in raw:
        yield "default", raw["default"], Treatment
    rules, tensors = raw.get("rules"), raw.get("tensors")
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict) and "treatment" in rule:
            yield f"rules[{number}].treatment", rule["treatment"], Treatment
        yield f"rules[{number}]", rule, Rule
    for path, treatment in tensors.items() if isinstance(tensors, dict) else ():
        yield f"tensors.{path}", treatment, Treatment


def _convert(raw: object, expected: Any, path: str, file_name: str) -> object:
    try:
        return msgspec.convert(raw, expected)
    except InvalidRecipe as error:
        raise InvalidRecipe(f"{file_name}, at {path}: {error.message}") from error
    except msgspec.ValidationError as error:
        at, problem = path_and_problem(error)
        where = ".".join(filter(None, (path, at)))
        hint = _treatment if expected is Treatment and not at else _legal.get(where.rpartition(".")[2])
        problem = problem.replace("text or an object", '"keep" or an object')
        raise InvalidRecipe(
            f"{file_name} is not a valid recipe{f', at {where}' if where else ''}: {problem}."
            f"{f' Valid values: {hint}.' if hint and 'field' not in problem else ''}"
        ) from error
