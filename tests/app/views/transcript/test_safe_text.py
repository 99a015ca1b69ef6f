import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.safe_text import folded, harmless, utf16_length, without_direction


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb", "a\nb"),
        ("\x1b[31m\x00", "␛[31m␀"),
        ("a\u2028b", "a\nb"),
        ("\ufffc\ufdd0\ud800", "\ufffd\ufffd\ufffd"),
        ("日本語 🎉 مرحبا", "日本語 🎉 مرحبا"),
    ],
)
def test_control_characters_are_shown_as_pictures(text: str, shown: str) -> None:
    """What would act on the document, or end it, is seen instead."""
    assert harmless(text) == shown


@given(st.text(alphabet=st.characters(codec=None)), st.integers(0, 50))
def test_a_text_may_come_in_pieces(text: str, cut: int) -> None:
    """Making pieces harmless gives the same as making the whole harmless."""
    assert harmless(text[:cut]) + harmless(text[cut:]) == harmless(text)


def test_marks_of_direction_become_visible() -> None:
    """Code with a hidden override does not look like other code."""
    assert without_direction("a\u202eb") == "a⟨U+202E⟩b"


@given(st.text(max_size=200), st.integers(1, 20))
def test_folded_lines_are_short_and_complete(text: str, width: int) -> None:
    """No line is longer than asked for, and no character is lost."""
    shown = folded(text, width)
    assert all(len(line) <= width for line in shown.split("\n")) or len(text) <= width
    assert shown.replace("\n", "") == text.replace("\n", "")


@given(st.text())
def test_lengths_are_those_of_qt(text: str) -> None:
    """A character outside the basic plane counts twice, as in a QString."""
    assert utf16_length(text) == len(text) + sum(ord(character) > 0xFFFF for character in text)
