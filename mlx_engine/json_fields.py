"""Messages about invalid fields in JSON files, for the user who wrote them."""

import re

import msgspec

_types = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "text",
}
_bounds = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def path_and_problem(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the path of an invalid field and its problem: "speed.prompts[0]", "expected a whole number, got text"."""
    problem, _, path = str(error).partition(" - at ")
    return path.strip("`").removeprefix("$").strip("."), _translate(problem)


def _translate(problem: str) -> str:
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", problem, re.DOTALL):
        return f'unknown field "{match[1]}"'
    if match := re.fullmatch(r"Object missing required field `(.*)`", problem):
        return f'missing field "{match[1]}"'
    if match := re.fullmatch(r"Invalid enum value (.*)", problem, re.DOTALL):
        return f"unknown value {match[1]}"
    if match := re.fullmatch(r"Expected `(.*)`, got `(.*)`", problem):
        got = "a decimal number" if match[2] == "float" else _type(match[2])
        return f"expected {_type(match[1])}, got {got}"
    if match := re.fullmatch(r"Expected `(.*?)`( of length)? ([<>]=?) (\S+)", problem):
        bound = f"{_bounds[match[3]]} {float(match[4]):,.30g}"
        return f"expected {_type(match[1])}, {f'{bound} long' if match[2] else bound}"
    return f"{problem[0].lower()}{problem[1:]}"


def _type(names: str) -> str:
    return " or ".join(_types.get(name, name) for name in names.split(" | "))
