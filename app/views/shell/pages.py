"""Pages of the window as data, for the sidebar and the View menu.

The assembly builds a page when it is first shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowPage:
    """A page. `name` identifies it in code, and `icon` is one of `icons.NAMES`."""

    name: str
    text: str
    icon: str
    parent: str = ""
    """Page that the sidebar highlights while this one is visible; "" for none."""


CHAT = "chat"

PAGES: Sequence[WindowPage] = (
    WindowPage(CHAT, "Chat", "compose"),
    WindowPage("models", "Models", "model"),
    WindowPage("discover", "Discover", "discover"),
    WindowPage("lab", "Lab", "lab"),
)
"""In the order of their shortcuts, ⌘1, ⌘2 and so on."""

INNER_PAGES: Sequence[WindowPage] = (
    WindowPage("quantize", "Quantize", "quantize", parent="models"),
    WindowPage("publish", "Publish", "publish", parent="models"),
    WindowPage("jobs", "Jobs", "jobs"),
)
"""Pages that only other pages and the sidebar's foot lead to."""

BY_NAME: Mapping[str, WindowPage] = {page.name: page for page in (*PAGES, *INNER_PAGES)}
