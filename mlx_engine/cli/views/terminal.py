"""Terminal output: safe text, one status line, the statistics of an answer.

Standard output carries only the answer; everything else goes to standard error.
"""

import shutil
import sys

from mlx_engine.amounts import format_count, format_duration, format_memory, format_token_rate
from mlx_engine.protocol import Statistics

# A model must not be able to move the cursor, change the window's title or write to the clipboard: the only control
# characters that pass are the line break and the tab.
_controls = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
del _controls[ord("\n")], _controls[ord("\t")]

_DIM, _PLAIN, _CLEAR_LINE = "\x1b[2m", "\x1b[0m", "\r\x1b[K"


def printable(text: str) -> str:
    """Return `text` without the control characters that a terminal would execute."""
    return text.translate(_controls)


def write(text: str) -> None:
    """Write a part of the answer to standard output immediately."""
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def note(text: str) -> None:
    """Write to standard error, dimmed if that is a terminal."""
    text = printable(text)
    sys.stderr.write(f"{_DIM}{text}{_PLAIN}" if sys.stderr.isatty() else text)
    sys.stderr.flush()


class StatusLine:
    """A line on standard error that is overwritten by the next one; only on a terminal."""

    def __init__(self) -> None:
        self._is_visible = False

    def show(self, text: str) -> None:
        if sys.stderr.isatty():
            # A longer text would wrap, and its second line would never be cleared.
            width = shutil.get_terminal_size().columns - 1
            text = printable(text).replace("\n", " ")
            sys.stderr.write(f"{_CLEAR_LINE}{_DIM}{text if len(text) <= width else text[: width - 1] + '…'}{_PLAIN}")
            sys.stderr.flush()
            self._is_visible = True

    def clear(self) -> None:
        if self._is_visible:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._is_visible = False


def format_statistics(statistics: Statistics) -> str:
    """Format the statistics of an answer in one line."""
    cached = f", {statistics.cached_tokens:,} cached" if statistics.cached_tokens else ""
    rate = format_token_rate(statistics.prefill_tokens_per_s)
    parts = [
        f"{format_count(statistics.generated_tokens, 'token')} at {format_token_rate(statistics.decode_tokens_per_s)}",
        f"first token {format_duration(statistics.time_to_first_token_s)}",
        f"prompt {format_count(statistics.prompt_tokens, 'token')}{cached}, read at {rate}",
        f"{format_token_rate(statistics.effective_tokens_per_s)} incl. prompt",
        f"peak memory {format_memory(statistics.peak_memory_bytes)}",
    ]
    if statistics.finish_reason != "stop":
        parts.append({"length": "maximum length reached", "cancelled": "stopped"}[statistics.finish_reason])
    return " · ".join(parts)
