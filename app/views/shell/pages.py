"""The pages of the window as data: the switch in the sidebar and the View menu are made from it.

How a page is built, the assembly says; it is built when it is shown for the first time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is what the program calls it, `icon` one of `icons.NAMES`."""

    name: str
    text: str
    icon: str
    under: str = ""
    """The page of the switch that is marked while this one is shown; "" where none is."""


CHAT = "chat"

PAGES: Sequence[Page] = (
    Page(CHAT, "Chat", "compose"),
    Page("models", "Models", "model"),
    Page("discover", "Discover", "discover"),
    Page("lab", "Lab", "lab"),
)
"""In the order of their shortcuts, ⌘1, ⌘2 and so on."""

INNER_PAGES: Sequence[Page] = (
    Page("quantize", "Quantize", "quantize", under="models"),
    Page("publish", "Publish", "publish", under="models"),
    Page("jobs", "Jobs", "jobs"),
)
"""Those that something else leads to."""

BY_NAME: Mapping[str, Page] = {page.name: page for page in (*PAGES, *INNER_PAGES)}
