r"""LaTeX as ziamath can draw it, and as text where it cannot. Imports no Qt."""

import re

_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([a-zA-Z]+\*?)\}")
_SCRIPT = re.compile(r"\s*[\^_]")
_ARRAY = re.compile(r"\\begin\s*\{array\}\s*\{([^{}]*)\}((?:(?!\\begin|\\end).)*)\\end\s*\{array\}", re.DOTALL)
_BAR = r"\vert"

_TEXT = re.compile(r"\\(?:text|textrm|textbf|textit|mathrm|operatorname|mbox)\s*\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SPACE = re.compile(r"\\(?:[,;:! ]|quad|qquad)(?![A-Za-z])|~")
_SYMBOLS = {
    r"\times": "\u00d7",
    r"\cdot": "·",
    r"\div": "÷",
    r"\pm": "±",
    r"\leq": "≤",
    r"\le": "≤",
    r"\geq": "≥",
    r"\ge": "≥",
    r"\neq": "≠",
    r"\ne": "≠",
    r"\approx": "≈",
    r"\rightarrow": "→",
    r"\to": "→",
    r"\Rightarrow": "⇒",
    r"\pi": "π",
    r"\%": "%",
    r"\$": "$",
}
_symbol = re.compile("|".join(rf"{re.escape(name)}(?![A-Za-z])" for name in _SYMBOLS))


def prepare(latex: str) -> str:
    r"""Return equivalent LaTeX.

    WORKAROUND(latex2mathml 3.81, ziamath 0.12): an exponent after `\end{…}` is an error unless the environment is a
    group, and the bars in the columns of an array are ignored, so they become columns.
    """
    return _with_groups(_ARRAY.sub(_with_bars, latex))


def as_text(latex: str) -> str | None:
    """Return a formula that consists of words and simple operators as text; None for others."""
    text = _FRACTION.sub(r"\1 / \2", _TEXT.sub(r"\1", latex))
    text = _symbol.sub(lambda match: _SYMBOLS[match[0]], _SPACE.sub(" ", text))
    return None if re.search(r"[\\{}^_&]", text) else " ".join(text.split())


def _with_groups(latex: str) -> str:
    """Put each environment with an exponent or index into braces."""
    opened: list[int] = []
    groups: list[tuple[int, int]] = []
    for match in _ENVIRONMENT.finditer(latex):
        if match[1] == "begin":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            if _SCRIPT.match(latex, match.end()):
                groups.append((start, match.end()))
    braces = sorted([(start, "{") for start, _ in groups] + [(end, "}") for _, end in groups], reverse=True)
    for position, brace in braces:
        latex = latex[:position] + brace + latex[position:]
    return latex


def _with_bars(match: re.Match[str]) -> str:
    """Return an array whose bars are columns of bars."""
    specification = re.sub(r"\s", "", match[1])
    if "|" not in specification or re.search(r"[^lcr|]", specification):
        return match[0]
    rows = re.split(r"\\\\|\\cr(?![A-Za-z])", match[2].replace(r"\hline", " "))
    if rows and not rows[-1].strip():
        rows.pop()
    body = r" \\ ".join(_row_with_bars(row.split("&"), specification) for row in rows)
    return rf"\begin{{array}}{{{specification.replace('|', 'c')}}}{body}\end{{array}}"


def _row_with_bars(cells: list[str], specification: str) -> str:
    rest = iter(cells)
    return " & ".join(_BAR if column == "|" else next(rest, "").strip() for column in specification)
