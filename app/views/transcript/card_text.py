"""The card of a repository, written by strangers: text and links only. Nothing in it is fetched, no HTML obeyed."""

import re

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme
from app.views.transcript.kit import Kit
from app.views.transcript.links import ask_to_open
from app.views.transcript.segments import Segments

_LONGEST = 60_000
"""Characters of a card that are shown."""
_FENCE = re.compile(r"^\s*(```|~~~)")
_HTML = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]{0,2000}>", re.DOTALL)


class CardText(QWidget):
    """As high as the text is at its width."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kit = Kit(theme, self)
        self._segments = Segments(self._kit, self._kit.markdown, self, name="Model card")
        self._segments.reflowed.connect(self._fit)
        self._segments.link_clicked.connect(lambda address: ask_to_open(self, address))
        theme.changed.connect(self._restyle)

    def show_card(self, card: str) -> None:
        self._segments.clear()
        self._segments.append(without_html(card)[:_LONGEST])
        self._fit()

    def _restyle(self) -> None:
        self._segments.restyle()
        self._fit()

    def _fit(self) -> None:
        height = self._segments.height_for(max(self.width(), 100))
        self._segments.setGeometry(0, 0, self.width(), height)
        self.setFixedHeight(max(height, 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()


def without_html(card: str) -> str:
    """Return the card without tags and comments of HTML, which is what most cards begin with; code keeps them."""
    shown: list[str] = []
    prose: list[str] = []
    in_code = False
    for line in card.splitlines():
        if _FENCE.match(line):
            if not in_code:
                shown.append(_HTML.sub("", "\n".join(prose)))
                prose.clear()
            in_code = not in_code
            shown.append(line)
        else:
            (shown if in_code else prose).append(line)
    shown.append(_HTML.sub("", "\n".join(prose)))
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", "\n".join(shown)).strip()


def beginning(card: str, length: int) -> str:
    """Return the first paragraphs of the card, so many characters of them at most, and how it goes on."""
    shown = without_html(card)
    if len(shown) <= length:
        return shown
    cut = shown[:length]
    # Between paragraphs, and never within a block of code or a table.
    paragraphs = cut.rpartition("\n\n")[0] or cut
    return f"{paragraphs}\n```\n\n…" if paragraphs.count("```") % 2 else f"{paragraphs}\n\n…"
