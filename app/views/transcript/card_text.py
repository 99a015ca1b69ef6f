"""Model card of a repository, which is untrusted: text and links only. Nothing is fetched, no HTML is rendered."""

import re

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme
from app.views.transcript.block_view import BlockView
from app.views.transcript.links import ask_to_open
from app.views.transcript.services import TranscriptServices

_LONGEST = 60_000
"""Characters of a card on the screen; the rest is cut off."""
_FENCE = re.compile(r"^\s*(```|~~~)")
_HTML = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]{0,2000}>", re.DOTALL)


class CardText(QWidget):
    """Shows a model card, as high as its text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = TranscriptServices(theme, self)
        self._text = BlockView(self._services, self._services.markdown, self, name="Model card")
        self._text.reflowed.connect(self._fit)
        self._text.link_clicked.connect(lambda address: ask_to_open(self, address))
        theme.changed.connect(self._restyle)

    def show_card(self, card: str) -> None:
        self._text.clear()
        self._text.append(without_html(card)[:_LONGEST])
        self._fit()

    def _restyle(self) -> None:
        self._text.restyle()
        self._fit()

    def _fit(self) -> None:
        height = self._text.height_for(max(self.width(), 100))
        self._text.setGeometry(0, 0, self.width(), height)
        self.setFixedHeight(max(height, 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fit()


def without_html(card: str) -> str:
    """Return the card without HTML tags and comments, except in code. Most cards start with some."""
    parts: list[str] = []
    prose: list[str] = []
    in_code = False
    for line in card.splitlines():
        if _FENCE.match(line):
            if not in_code:
                parts.append(_HTML.sub("", "\n".join(prose)))
                prose.clear()
            in_code = not in_code
            parts.append(line)
        else:
            (parts if in_code else prose).append(line)
    parts.append(_HTML.sub("", "\n".join(prose)))
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", "\n".join(parts)).strip()


def first_paragraphs(card: str, length: int) -> str:
    """Return the first paragraphs of the card, at most `length` characters, and an ellipsis if there are more."""
    text = without_html(card)
    if len(text) <= length:
        return text
    cut = text[:length]
    # Cut between paragraphs; an open code fence is closed below.
    paragraphs = cut.rpartition("\n\n")[0] or cut
    return f"{paragraphs}\n```\n\n…" if paragraphs.count("```") % 2 else f"{paragraphs}\n\n…"
