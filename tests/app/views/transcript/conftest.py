"""Messages, and a transcript that shows them."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.domain.conversation import Message
from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript import TranscriptView
from app.views.transcript.kit import Kit
from app.views.transcript.segments import Segments


def make_item(id: str, role: str, text: str, **values: Any) -> MessageItem:
    """Return a MessageItem; `values` are fields of it or of its message."""
    of_item = {name: values.pop(name) for name in ("branch", "branches", "model_mark") if name in values}
    values = {"parent": None, "created": 0.0, **values}
    return MessageItem(Message(id=id, role=role, text=text, **values), **of_item)  # type: ignore[arg-type]


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    """A bare widget to put parts on."""
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def kit(theme: Theme, page: QWidget) -> Kit:
    return Kit(theme, page)


@pytest.fixture
def answer(kit: Kit, page: QWidget) -> Segments:
    return Segments(kit, kit.markdown, page)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[TranscriptView]:
    """An empty transcript on the screen."""
    view = TranscriptView(theme)
    qtbot.addWidget(view)
    view.resize(900, 600)
    with qtbot.waitExposed(view):
        view.show()
    yield view
    view.hide()
