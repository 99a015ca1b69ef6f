r"""Formulas in running text, between $…$, $$…$$, \(…\) and \[…\]. Imports no Qt.

Dollar signs are also those of prices and of shell variables, which stay text.
"""

import re

CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
LONGEST_FORMULA = 4_000
"""Characters. A closing delimiter further away belongs to something else."""

_COMMAND = re.compile(r"\\[A-Za-z]+(?:\s*\{[^{}]*\})?")
_OPERATOR = re.compile(r"[\\^_=+*/<>|≤≥≠≈∈\u00d7·→]|\b-|-\b")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LAST_SPACED_SCRIPT = "\u052f"
"""Latin, Greek and Cyrillic letters come before it. Most others, such as Chinese, are written without spaces."""


def opening_delimiter(text: str, position: int) -> str:
    return next((delimiter for delimiter in CLOSING if text.startswith(delimiter, position)), "")


def end_of_formula(text: str, position: int, limit: int) -> int:
    """Return the end of the formula whose delimiter is at `position`, or `position` if that is ordinary text."""
    opening = opening_delimiter(text, position)
    if not opening:
        return position
    start = position + len(opening)
    end = text.find(CLOSING[opening], start, min(limit, start + LONGEST_FORMULA))
    is_formula = end > start and bool(text[start:end].strip())
    if is_formula and opening.startswith("$"):
        is_formula = _are_dollars_of_formula(text, position, end, opening)
    return end + len(opening) if is_formula else position


def looks_like_formula(latex: str) -> bool:
    """Return False for words and punctuation, such as those between the dollar signs of "cheap ($), dear ($$)"."""
    rest = _COMMAND.sub(" ", latex)
    if not re.search(r"\w", latex):
        return False
    return bool(_OPERATOR.search(latex)) or not (_WORD.search(rest) and re.search(r"\s", latex))


def _are_dollars_of_formula(text: str, position: int, end: int, opening: str) -> bool:
    """Return True for "$x + y$", False for "$5 and $6", "US$5$" and "kill $$ and $$".

    The conditions of Pandoc's `tex_math_dollars` (no space inside single dollar signs, no digit after the closing
    one), and no letter of a language with spaces directly outside.
    """
    latex = text[position + len(opening) : end]
    before, after = text[position - 1 : position], text[end + len(opening) : end + len(opening) + 1]
    if "\n\n" in latex or not looks_like_formula(latex) or "$" in (before, after, latex[0]):
        return False
    if opening == "$$":
        return True
    if latex[0].isspace() or latex[-1].isspace() or latex.endswith("\\"):
        return False
    return not (_continues_word(before) or _continues_word(after))


def _continues_word(character: str) -> bool:
    return character.isalnum() and character <= _LAST_SPACED_SCRIPT
