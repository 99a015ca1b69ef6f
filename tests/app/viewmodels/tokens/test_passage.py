"""Where to step in a passage, and its text for elsewhere."""

import pytest

from app.viewmodels.tokens.passage import Passage, step_from
from app.viewmodels.tokens.passage_copy import as_html, as_plain
from tests.app.token_texts import read, token


@pytest.fixture
def passage() -> Passage:
    return Passage(read(), "Whale", "4bit")


@pytest.mark.parametrize(("current", "forth", "back"), [(None, 1, 4), (1, 4, None), (2, 4, 1), (4, None, 1)])
def test_a_step_finds_the_next_place(current: int | None, forth: int | None, back: int | None) -> None:
    assert step_from((1, 4), current, 1) == forth
    assert step_from((1, 4), current, -1) == back


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
    assert "2 of 6 next tokens differ (33%)" in lines[2]
    assert lines[3].startswith("KL 1.200  Small boats [do]  original: do 60%, candidate: so 30%")
