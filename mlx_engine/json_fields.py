"""Says what is wrong in a JSON file, and where, in words for the person who wrote it."""

import re

import msgspec

_types = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "a text",
}
_bounds = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def place_and_problem(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return where msgspec has found something, and what: "speed.prompts[0]", "it should be a whole number"."""
    problem, _, place = str(error).partition(" - at ")
    return place.strip("`").removeprefix("$").strip("."), _translate(problem)


def _translate(problem: str) -> str:
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", problem, re.DOTALL):
        return f'there is no field "{found[1]}"'
    if found := re.fullmatch(r"Object missing required field `(.*)`", problem):
        return f'it lacks the field "{found[1]}"'
    if found := re.fullmatch(r"Invalid enum value (.*)", problem, re.DOTALL):
        return f"there is no {found[1]}"
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", problem):
        got = "a number with a point" if found[2] == "float" else _type(found[2])
        return f"it should be {_type(found[1])}, not {got}"
    if found := re.fullmatch(r"Expected `(.*?)`( of length)? ([<>]=?) (\S+)", problem):
        bound = f"{_bounds[found[3]]} {float(found[4]):,.30g}"
        return f"it should be {_type(found[1])}, {f'{bound} long' if found[2] else bound}"
    return f"{problem[0].lower()}{problem[1:]}"


def _type(names: str) -> str:
    return " or ".join(_types.get(name, name) for name in names.split(" | "))
