"""Formulas in running text."""

import pytest

from app.views.transcript.dollars import end_of_formula


def _formula(text: str) -> str:
    """Return the first formula in `text`, with its delimiters; "" if there is none."""
    for position in range(len(text)):
        if (end := end_of_formula(text, position, len(text))) > position:
            return text[position:end]
    return ""


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("函数$f(x)$的导数", "$f(x)$"),
        ("関数$y=ax+b$のグラフ", "$y=ax+b$"),
        ("함수$f$는", "$f$"),
        ("ฟังก์ชัน$f$คือ", "$f$"),
        ("设$x$，则", "$x$"),
        ("（$x^2$）", "$x^2$"),
    ],
)
def test_letters_of_languages_without_spaces_may_surround_a_formula(text: str, formula: str) -> None:
    assert _formula(text) == formula


@pytest.mark.parametrize(
    "text",
    [
        "Cheap ($), fair ($$), dear ($$$).",
        "kill -9 $$ and echo $$",
        "It was $3,500, then $5,000, or $6–$7.",
        "echo $HOME and $PATH",
        "Use $HOME/bin:$PATH",
        "US$5 or CA$6",
        "价格$5和$6",
        "($), ($$), ($$$)",
        "Dear ($$$). It was $3,500. Run kill -9 $$ and echo $$.",
        "kill $$ and $$",
        "$$ is the process, $$$ is not",
        "grep 'foo$' and 'bar$'",
        "größer$x$ist",
    ],
)
def test_prices_and_shell_text_are_not_formulas(text: str) -> None:
    assert _formula(text) == ""


@pytest.mark.parametrize(
    "formula",
    ["$x$", "$speed$", r"$\sin x$", r"$n \text{ if positive}$", "$a, b$", "$$c$$", "$$ x + y $$", r"\(a b\)", r"$|x|$"],
)
def test_short_formulas_and_those_with_words_are_recognized(formula: str) -> None:
    assert _formula(f"So {formula} it is.") == formula
