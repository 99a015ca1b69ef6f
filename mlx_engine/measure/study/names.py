"""Short names for the rows of a study, where the label that is unique among all models would be too long."""

import re
from collections.abc import Iterator

from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.study.study import Study


def short_names(study: Study) -> dict[str, str]:
    """Return a short name for each row by label, safe to show: the title of its recipe, or the rest of its name.

    A name that two rows would share is replaced by the label.
    """
    base = _name(study.original.label)
    shorts = {row.label: row.recipe.title if row.recipe else _added(_name(row.label), base) for row in study.rows}
    shorts[study.original.label] = "original"
    names = list(shorts.values())
    return {label: one_line(short if names.count(short) == 1 else label) for label, short in shorts.items()}


def _name(label: str) -> str:
    """Return a label without the owner and the revision."""
    return label.rpartition("/")[2].partition("@")[0]


def _added(name: str, base: str) -> str:
    """Return `name` without the prefix of words that it shares with `base`, or all of it if it would be empty."""
    start = 0
    for mine, its in zip(_parts(name), _parts(base), strict=False):
        if mine[0].casefold() != its[0].casefold():
            break
        start = mine.end()
    return name[start:].lstrip("-_. ") or name


def _parts(name: str) -> Iterator[re.Match[str]]:
    return re.finditer(r"[^-_ ]+", name)
