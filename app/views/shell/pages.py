"""The pages of the window as data: the switch in the sidebar and the View menu are made from it.

How a page is built, the assembly says; it is built when it is shown for the first time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowPage:
    """`name` is what the program calls it, `icon` one of `icons.NAMES`."""

    name: str
    text: str
    icon: str
    under: str = ""
    """The page of the switch that is marked while this one is shown; "" where none is."""


CHAT = "chat"

PAGES: Sequence[WindowPage] = (
    WindowPage(CHAT, "Chat", "compose"),
    WindowPage("models", "Models", "model"),
    WindowPage("discover", "Discover", "discover"),
    WindowPage("lab", "Lab", "lab"),
)
"""In the order of their shortcuts, ⌘1, ⌘2 and so on."""

INNER_PAGES: Sequence[WindowPage] = (
    WindowPage("quantize", "Quantize", "quantize", under="models"),
    WindowPage("publish", "Publish", "publish", under="models"),
    WindowPage("jobs", "Jobs", "jobs"),
)
"""Those that something else leads to."""

BY_NAME: Mapping[str, WindowPage] = {page.name: page for page in (*PAGES, *INNER_PAGES)}
