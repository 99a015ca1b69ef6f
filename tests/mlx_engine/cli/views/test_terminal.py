import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.cli.views import terminal
from mlx_engine.protocol import Statistics


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    """Except line breaks and tabs."""
    printable = terminal.printable(text)

    assert not [c for c in printable if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert printable == "".join(c for c in text if unicodedata.category(c) != "Cc" or c in "\n\t")


@pytest.mark.parametrize("text", ["👩‍👩‍👧 family", "مرحبا بالعالم", "日本語", "naïve\tcafé\n"])
def test_text_of_every_script_is_unchanged(text: str) -> None:
    """Joined emoji, right-to-left and wide text contain no control characters."""
    assert terminal.printable(text) == text


def test_escape_sequences_are_disabled() -> None:
    """The letters stay; the terminal's title and clipboard are safe."""
    assert terminal.printable("\x1b]0;owned\x07\x9b31mred\rover") == "]0;owned31mredover"


def test_statistics_include_cached_tokens_and_the_stop_reason() -> None:
    line = terminal.format_statistics(
        Statistics(
            prompt_tokens=1200,
            cached_tokens=1000,
            prefill_tokens_per_s=400,
            time_to_first_token_s=0.5,
            generated_tokens=64,
            decode_tokens_per_s=51.26,
            effective_tokens_per_s=40,
            peak_memory_bytes=512 * 2**20,
            context_tokens=1264,
            finish_reason="length",
        )
    )

    for part in ("64 tokens at 51.3 tok/s", "first token 0.50 s", "1,000 cached", "maximum length reached", "512 MB"):
        assert part in line


def test_a_status_line_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped line could not be cleared."""
    written = _Terminal()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("COLUMNS", "20")
    terminal.StatusLine().show("one line\nof far too many words for it")
    (text,) = re.findall(r"\x1b\[2m(.*)\x1b\[0m", written.getvalue())
    assert text == "one line of far to…"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
