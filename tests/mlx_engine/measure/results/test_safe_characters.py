"""Untrusted text made safe to display."""

import pytest

from mlx_engine.measure.results.safe_characters import one_line, visible, visible_end, visible_token


@pytest.mark.parametrize(
    "text", ["Zoë's naïve café", "日本語　テキスト", "नमस्ते\u200d", "می\u200cکنم", "👩\u200d🔬", "a\tb\nc"]
)
def test_ordinary_text_is_unchanged(text: str) -> None:
    """This includes the joiners that some languages need."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\0", "␀"),
        ("\x1b[1m", "␛[1m"),
        ("\u202e", "⟨U+202E⟩"),
        ("\x85", "⟨U+0085⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ufffc", "⟨U+FFFC⟩"),
    ],
)
def test_invisible_characters_are_replaced_by_symbols(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_leading_and_trailing_spaces_of_tokens_are_visible() -> None:
    """Line breaks are visible too."""
    assert [visible_token(token) for token in (" the", "\n\n", "in the", "")] == ["␣the", "↵↵", "in the", ""]


def test_long_text_is_truncated_at_its_less_important_end() -> None:
    """A context loses its start, a name its end."""
    assert visible_end("abcdef", 3) == "…def"
    assert one_line("abc def", 3) == "abc…"
