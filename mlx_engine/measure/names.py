"""Short names for the rows of a study, where the label that is unique among all models would be too long."""

from mlx_engine.measure.study import Study


def short_names(study: Study) -> dict[str, str]:
    """Return the short name of each row by its label: what it adds to the original's, where that is told apart."""
    base = _name(study.original.label)
    shorts = {row.label: _added(_name(row.label), base) for row in study.rows}
    shorts[study.original.label] = "original"
    names = list(shorts.values())
    return {label: short if names.count(short) == 1 else label for label, short in shorts.items()}


def _name(label: str) -> str:
    """Return a label without the owner and the revision."""
    return label.rpartition("/")[2].partition("@")[0]


def _added(name: str, base: str) -> str:
    rest = name.removeprefix(base).lstrip("-_. ")
    return rest or name
