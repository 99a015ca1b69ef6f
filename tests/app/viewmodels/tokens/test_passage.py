"""Tests of the steps in a passage, and its copies."""

import pytest

from app.viewmodels.tokens.passage import Passage, step_from
from app.viewmodels.tokens.passage_copy import to_html, to_plain_text
from tests.app.token_texts import read, token


@pytest.fixture
def passage() -> Passage:
    return Passage(read(), "Whale", "4bit")


@pytest.mark.parametrize(("current", "following", "previous"), [(None, 1, 4), (1, 4, None), (2, 4, 1), (4, None, 1)])
def test_a_step_finds_the_next_place(current: int | None, following: int | None, previous: int | None) -> None:
    assert step_from((1, 4), current, 1) == following
    assert step_from((1, 4), current, -1) == previous


def test_html_has_text_tints_and_marks(passage: Passage) -> None:
    """The text is escaped."""
    wild = Passage(read(token("<b>", kl=2, differs=True), token(" & so"), before="<i>"), "Whale", "4bit")
    page = to_html(wild, lambda kl: "#ff0000" if kl > 1 else "", "#00ff00")
    assert '<span style="background: #ff0000; border-bottom: 2px solid #00ff00"' in page
    assert "&lt;i&gt;" in page
    assert "<b>" not in page.partition("</p>")[2]
    assert "1 of 2 next tokens differ" in page


def test_plain_text_lists_the_flips(passage: Passage) -> None:
    lines = to_plain_text(passage).splitlines()
    assert lines[0] == "Small boats do not like the storm"
    assert "2 of 6 next tokens differ (33%)" in lines[2]
    assert lines[3].startswith("KL 1.200  Small boats [do]  original: do 60%, candidate: so 30%")
