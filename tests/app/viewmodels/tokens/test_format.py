"""How tokens and their figures read."""

import pytest

from app.viewmodels.tokens.format import both, change, context, named, percent, sentence, visible
from app.viewmodels.tokens.passage import Passage
from mlx_engine.measure.results.messages import ScoredToken
from mlx_engine.measure.results.results import Choice
from tests.app.token_texts import read, token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" boats", "boats"),
        (" ", "(a space)"),
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
def test_a_token_can_be_seen_whatever_it_is(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_piece_of_a_character_is_called_by_its_bytes() -> None:
    """Where the models said them."""
    piece = ScoredToken(
        text="",
        kl=0.1,
        differs=False,
        probability=0.5,
        reference_probability=0.5,
        reference=(Choice(" a", 0.5), Choice(r"\xe6", 0.4, is_true=True)),
        candidate=(Choice(" a", 0.6),),
    )
    assert named(piece) == r"\xe6"


def test_two_choices_keep_their_order() -> None:
    """Each is isolated, so that words from right to left do not turn the arrow round."""
    assert both(" في", " عم") == "\u2068في\u2069 → \u2068عم\u2069"
    assert both(" a", " a") == "both: \u2068a\u2069"


def test_what_comes_before_is_cut_in_front() -> None:
    """In one line, and without half a character at its end."""
    assert context("The boats\n do\ufffd", 40) == "The boats do"
    assert context("The boats do", 8) == "…boats do"


def test_probabilities_have_as_many_figures_as_matter() -> None:
    assert [percent(one) for one in (0.434, 0.0434, 0.00434, 0.00001)] == ["43%", "4.3%", "0.43%", "< 0.01%"]
    assert change(token(" a", differs=True)) == "\N{MINUS SIGN}35.0 points"


def test_a_token_is_told_in_a_sentence() -> None:
    """What the card shows is heard, too."""
    passage = Passage(read(), "Whale", "4bit")
    assert sentence(passage, 1) == (
        "do: KL 1.200, \N{MINUS SIGN}35.0 points. Whale expects do with 60%; 4bit so with 30%."
    )
    assert sentence(passage, 0).endswith("4bit too, boats with 60%.")
