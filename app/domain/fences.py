"""Fences around code in Markdown, nested as models write them.

CommonMark ends a fence at the next bare fence of the same length, so a Markdown file that is quoted in a fence and has
code in a fence itself falls apart. Here, a fence that names a language opens an inner one, inside of plain text or
Markdown, and the next bare fence closes that.
"""

import re
from dataclasses import dataclass

_fence = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})[ \t]*([^\s]*)")
_container = re.compile(r"[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?")
_QUOTABLE = frozenset({"", "markdown", "md", "mdx", "plain", "plaintext", "text", "txt"})
"""Languages of fences that can contain other fences."""


@dataclass(frozen=True, slots=True)
class Fence:
    mark: str
    language: str


def parse_fence(line: str) -> Fence | None:
    """Return the fence that `line`, without its indentation, consists of."""
    match = _fence.match(line)
    return Fence(match[1], match[2]) if match else None


class OpenFence:
    """An open fence, with the inner ones that are open too."""

    def __init__(self, fence: Fence) -> None:
        self._open = [fence]

    def closes(self, line: str) -> bool:
        """Take the next line, without its indentation; return True if it closes the outermost fence."""
        outer, mark = self._open[0], line.strip()
        if len(mark) >= len(self._open[-1].mark) and not mark.strip(self._open[-1].mark[0]):
            self._open.pop()
            return not self._open
        inner = parse_fence(line)
        is_inner = inner is not None and inner.language != "" and inner.mark.startswith(outer.mark)
        if inner and is_inner and outer.language.casefold() in _QUOTABLE:
            self._open.append(inner)
        return False

    @property
    def closing(self) -> str:
        """Lines that close all of its fences."""
        return "\n".join(fence.mark for fence in reversed(self._open))


def close_fences(text: str) -> str:
    """Return `text` with its last fence closed, so that it does not swallow what follows."""
    fence: OpenFence | None = None
    indentation = ""
    for line in text.split("\n"):
        if fence is not None:
            fence = None if fence.closes(line.lstrip(" \t>")) else fence
            continue
        prefix = _container.match(line)
        start = prefix.end() if prefix else 0
        if opening := parse_fence(line[start:]):
            fence, indentation = OpenFence(opening), re.sub(r"[^>]", " ", line[:start])
    if fence is None:
        return text
    return "\n".join([text.rstrip("\n"), *(f"{indentation}{mark}" for mark in fence.closing.split("\n"))])
