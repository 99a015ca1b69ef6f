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
    """Whatever a model writes, only line breaks and tabs are left of what a terminal obeys."""
    shown = terminal.printable(text)

    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert shown == "".join(c for c in text if unicodedata.category(c) != "Cc" or c in "\n\t")


@pytest.mark.parametrize("text", ["👩‍👩‍👧 family", "مرحبا بالعالم", "日本語", "naïve\tcafé\n"])
def test_text_of_every_script_is_shown_as_it_is(text: str) -> None:
    """Joined emoji, right-to-left and wide text are no control characters."""
    assert terminal.printable(text) == text


def test_an_escape_sequence_is_disarmed() -> None:
    """The letters stay; the terminal's title and clipboard are safe."""
    assert terminal.printable("\x1b]0;owned\x07\x9b31mred\rover") == "]0;owned31mredover"


def test_the_figures_of_an_answer_say_what_was_kept_and_why_it_ended() -> None:
    """One line that a person reads after each answer."""
    line = terminal.figures(
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

    for part in ("64 tokens at 51.3 tok/s", "first after 0.50 s", "1,000 kept", "longest answer allowed", "512 MB"):
        assert part in line


def test_a_status_line_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went on in the next line would stay there."""
    written = _Terminal()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("COLUMNS", "20")
    terminal.StatusLine().show("one line\nof far too many words for it")
    (shown,) = re.findall(r"\x1b\[2m(.*)\x1b\[0m", written.getvalue())
    assert shown == "one line of far to…"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
