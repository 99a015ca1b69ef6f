import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.card_text import beginning, without_html


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
def test_tags_are_left_out_and_code_is_kept(card: str, text: str) -> None:
    """Most cards begin with HTML that only a browser can show; what is said in code stays."""
    assert without_html(card) == text


@given(st.text(alphabet="<>!-/ab`\n ~", max_size=200))
def test_any_text_passes(card: str) -> None:
    """Whatever a stranger writes, there is a text, and it never grows."""
    assert len(without_html(card)) <= len(card)


def test_the_beginning_ends_between_paragraphs() -> None:
    """A block of code that it would cut is closed, so that what follows is not taken for code."""
    assert beginning("short", 100) == "short"
    assert beginning("one\n\ntwo\n\n" + "three " * 20, 20) == "one\n\ntwo\n\n…"
    assert beginning("text\n\n```\na\n\nb\n\n" + "c" * 50 + "\n```", 20) == "text\n\n```\na\n\nb\n```\n\n…"
