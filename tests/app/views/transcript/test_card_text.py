import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.card_text import first_paragraphs, without_html


@pytest.mark.parametrize(
    ("card", "text"),
    [
        ('<div align="center">\n  <img src="https://a.test/x.png">\n</div>\n\n# Title', "# Title"),
        ("<!-- a\ncomment -->Text", "Text"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("```html\n<b>kept</b>\n```", "```html\n<b>kept</b>\n```"),
        ("before <b>bold</b> after", "before bold after"),
    ],
)
def test_html_tags_are_removed_except_in_code(card: str, text: str) -> None:
    """Most cards start with HTML for browsers; code is shown verbatim."""
    assert without_html(card) == text


@given(st.text(alphabet="<>!-/ab`\n ~", max_size=200))
def test_any_text_is_accepted(card: str) -> None:
    """Arbitrary input never raises and never grows."""
    assert len(without_html(card)) <= len(card)


def test_the_excerpt_ends_between_paragraphs() -> None:
    """A code fence that is cut is closed, so the text after it is not code."""
    assert first_paragraphs("short", 100) == "short"
    assert first_paragraphs("one\n\ntwo\n\n" + "three " * 20, 20) == "one\n\ntwo\n\n…"
    assert first_paragraphs("text\n\n```\na\n\nb\n\n" + "c" * 50 + "\n```", 20) == "text\n\n```\na\n\nb\n```\n\n…"
