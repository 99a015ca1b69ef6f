"""How tokens read, and the text of a passage for elsewhere."""

import pytest

from app.viewmodels.token_view_copy import as_html, as_plain
from app.viewmodels.token_view_passage import Passage, change, context, percent, sentence, step_from, visible
from tests.app.token_texts import read, token


@pytest.fixture
def passage() -> Passage:
    return Passage(read(), "Whale", "4bit")


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
    ],
)
def test_a_token_can_be_seen_whatever_it_is(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_what_comes_before_is_cut_in_front() -> None:
    """In one line, and without half a character at its end."""
    assert context("The boats\n do\ufffd", 40) == "The boats do"
    assert context("The boats do", 8) == "…boats do"


def test_probabilities_have_as_many_figures_as_matter() -> None:
    assert [percent(one) for one in (0.434, 0.0434, 0.00434, 0.00001)] == ["43 %", "4.3 %", "0.43 %", "< 0.01 %"]
    assert change(token(" a", differs=True)) == "\N{MINUS SIGN}35.0 points"


@pytest.mark.parametrize(("current", "forth", "back"), [(None, 1, 4), (1, 4, None), (2, 4, 1), (4, None, 1)])
def test_a_step_finds_the_next_place(current: int | None, forth: int | None, back: int | None) -> None:
    assert step_from((1, 4), current, 1) == forth
    assert step_from((1, 4), current, -1) == back


def test_a_token_is_told_in_a_sentence(passage: Passage) -> None:
    """What the card shows is heard, too."""
    assert sentence(passage, 1) == (
        "do: KL 1.200, \N{MINUS SIGN}35.0 points. Whale expects do with 60 %; 4bit so with 30 %."
    )
    assert sentence(passage, 0).endswith("4bit too, boats with 60 %.")


def test_html_keeps_the_text_its_tints_and_its_marks(passage: Passage) -> None:
    """Nothing in the text becomes markup."""
    wild = Passage(read(token("<b>", kl=2, differs=True), token(" & so"), before="<i>"), "Whale", "4bit")
    page = as_html(wild, lambda kl: "#ff0000" if kl > 1 else "", "#00ff00")
    assert '<span style="background: #ff0000; border-bottom: 2px solid #00ff00"' in page
    assert "&lt;i&gt;" in page
    assert "<b>" not in page.partition("</p>")[2]
    assert "1 of 2 next tokens differ" in page


def test_plain_text_lists_where_the_choices_differ(passage: Passage) -> None:
    lines = as_plain(passage).splitlines()
    assert lines[0] == "Small boats do not like the storm"
    assert "2 of 6 next tokens differ (33 %)" in lines[2]
    assert lines[3].startswith("KL 1.200  Small boats [do]  original: do 60 %, candidate: so 30 %")
