"""Tests of the formats of tokens and their figures."""

import pytest

from app.viewmodels.tokens.format import (
    describe_token,
    format_change,
    format_choices,
    format_probability,
    preceding_text,
    token_name,
    visible,
)
from app.viewmodels.tokens.passage import Passage
from mlx_engine.measure.results.messages import ScoredToken
from mlx_engine.measure.results.results import TopToken
from tests.app.token_texts import read, token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" boats", "boats"),
        (" ", "(space)"),
        ("", "(part of a character)"),
        ("\ufffd", "(part of a character)"),
        ("\n\n", "↵↵"),
        ("    ", "····"),
        (".\n", ".↵"),
        ("\u202eevil", "⟨U+202E⟩evil"),
        ("\u200d", "⟨U+200D⟩"),
        ("\u200b", "⟨U+200B⟩"),
        ("\u0301", "◌\u0301"),
        ("\x1b[2J", "␛[2J"),
        ("x" * 10_000, "x" * 80 + "…"),
    ],
)
def test_every_token_is_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_part_of_a_character_is_named_by_its_bytes() -> None:
    """If a model has them."""
    piece = ScoredToken(
        text="",
        kl=0.1,
        differs=False,
        probability=0.5,
        reference_probability=0.5,
        reference=(TopToken(" a", 0.5), TopToken(r"\xe6", 0.4, is_true=True)),
        candidate=(TopToken(" a", 0.6),),
    )
    assert token_name(piece) == r"\xe6"


def test_two_choices_keep_their_order() -> None:
    """Each is isolated, so right-to-left text does not reverse the arrow."""
    assert format_choices(" في", " عم") == "\u2068في\u2069 → \u2068عم\u2069"
    assert format_choices(" a", " a") == "both: \u2068a\u2069"


def test_preceding_text_is_cut_at_its_start() -> None:
    """It is on one line, without a partial character at its end."""
    assert preceding_text("The boats\n do\ufffd", 40) == "The boats do"
    assert preceding_text("The boats do", 8) == "…boats do"


def test_probabilities_have_two_significant_digits() -> None:
    assert [format_probability(value) for value in (0.434, 0.0434, 0.00434, 0.00001)] == [
        "43%",
        "4.3%",
        "0.43%",
        "< 0.01%",
    ]
    assert format_change(token(" a", differs=True)) == "\N{MINUS SIGN}35.0 points"


def test_a_token_has_a_sentence() -> None:
    """Screen readers announce the content of the card."""
    passage = Passage(read(), "Whale", "4bit")
    assert describe_token(passage, 1) == (
        "do: KL 1.200, \N{MINUS SIGN}35.0 points. Whale expects do with 60%; 4bit so with 30%."
    )
    assert describe_token(passage, 0).endswith("4bit too, boats with 60%.")
