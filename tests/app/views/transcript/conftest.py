"""Fixtures: messages, and a transcript that shows them."""

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.domain.conversation import Message
from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript import TranscriptView
from app.views.transcript.block_view import BlockView
from app.views.transcript.services import TranscriptServices


def make_item(id: str, role: str, text: str, **values: Any) -> MessageItem:
    """Return a MessageItem; `values` are fields of the item or of its message."""
    item_values = {name: values.pop(name) for name in ("branch", "branches", "new_model") if name in values}
    values = {"parent": None, "created": 0.0, **values}
    return MessageItem(Message(id=id, role=role, text=text, **values), **item_values)  # type: ignore[arg-type]


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    """Parent widget for parts."""
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def services(theme: Theme, page: QWidget) -> TranscriptServices:
    return TranscriptServices(theme, page)


@pytest.fixture
def answer(services: TranscriptServices, page: QWidget) -> BlockView:
    return BlockView(services, services.markdown, page)


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
