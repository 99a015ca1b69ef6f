"""Behaviour of strangers' text where it is shown."""

import pytest

from mlx_engine.measure.results.safe_characters import one_line, visible, visible_end, visible_token


@pytest.mark.parametrize(
    "text", ["Zoë's naïve café", "日本語　テキスト", "नमस्ते\u200d", "می\u200cکنم", "👩\u200d🔬", "a\tb\nc"]
)
def test_ordinary_text_stays(text: str) -> None:
    """In every language, with the joiners that some need."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\0", "␀"),
        ("\x1b[1m", "␛[1m"),
        ("\u202e", "⟨U+202E⟩"),
        ("\x85", "⟨U+0085⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ufffc", "⟨U+FFFC⟩"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_spaces_of_tokens_are_seen() -> None:
    """Where they begin or end it, and where there is nothing else."""
    assert [visible_token(token) for token in (" the", "\n\n", "in the", "")] == ["␣the", "↵↵", "in the", ""]


def test_long_texts_are_cut_where_they_say_least() -> None:
    """A context at its beginning, a name at its end."""
    assert visible_end("abcdef", 3) == "…def"
    assert one_line("abc def", 3) == "abc…"
