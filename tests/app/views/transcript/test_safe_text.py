import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.safe_text import fold_lines, sanitize, show_direction_marks, utf16_length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("a\r\nb", "a\nb"),
        ("\x1b[31m\x00", "␛[31m␀"),
        ("a\u2028b", "a\nb"),
        ("\ufffc\ufdd0\ud800", "\ufffd\ufffd\ufffd"),
        ("日本語 🎉 مرحبا", "日本語 🎉 مرحبا"),
    ],
)
def test_control_characters_become_symbols(text: str, expected: str) -> None:
    """Characters that would affect the document are visible instead."""
    assert sanitize(text) == expected


@given(st.text(alphabet=st.characters(codec=None)), st.integers(0, 50))
def test_a_text_can_arrive_in_pieces(text: str, cut: int) -> None:
    """Sanitizing pieces equals sanitizing the whole."""
    assert sanitize(text[:cut]) + sanitize(text[cut:]) == sanitize(text)


def test_direction_marks_become_visible() -> None:
    """Code with a hidden override is recognizable."""
    assert show_direction_marks("a\u202eb") == "a⟨U+202E⟩b"


@given(st.text(max_size=200), st.integers(1, 20))
def test_folded_lines_are_short_and_complete(text: str, width: int) -> None:
    """No line exceeds the width, and no character is lost."""
    folded = fold_lines(text, width)
    assert all(len(line) <= width for line in folded.split("\n")) or len(text) <= width
    assert folded.replace("\n", "") == text.replace("\n", "")


@given(st.text())
def test_lengths_match_qt(text: str) -> None:
    """A character outside the basic plane counts as two, as in a QString."""
    assert utf16_length(text) == len(text) + sum(ord(character) > 0xFFFF for character in text)
