"""The conversations of the window as they leave it: a file for others, or a copy to measure on."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.domain.export import VisibleConversation, answered_messages, json_line, json_lines, to_markdown, visible
from app.domain.store import Store
from mlx_engine.amounts import format_count
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.output_file import write_chosen
from mlx_engine.measure.study.past_chats import keep_copy

Form = Literal["jsonl", "md"]


@dataclass(frozen=True, slots=True)
class ChatCount:
    """How many conversations have an answer, and how many messages those have."""

    chats: int
    messages: int

    @property
    def in_words(self) -> str:
        """Return "12 chats with 148 messages"."""
        return f"{format_count(self.chats, 'chat')} with {format_count(self.messages, 'message')}"


class PastChats(QObject):
    """Reads what is stored each time that it is asked."""

    written = Signal(str)  # the path of the file
    problem = Signal(str, str)  # title, message

    def __init__(self, store: Store, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._folders = store, folders

    def count(self) -> ChatCount:
        """Return how many chats there are to measure on; none if they cannot be read."""
        try:
            lengths = [len(messages) for chat in self._all() if (messages := answered_messages(chat))]
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return ChatCount(0, 0)
        return ChatCount(len(lengths), sum(lengths))

    def copy(self) -> str:
        """Make a copy of all chats to measure on, and return its path; "" if that cannot be, which is told."""
        chats = (
            json_line(chat.conversation.title, messages)
            for chat in self._all()
            if (messages := answered_messages(chat))
        )
        try:
            return str(keep_copy(chats, self._folders.chats))
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return ""

    def export(self, file: Path, form: Form, conversation: str = "") -> None:
        """Write the conversation of that id into a file, or all of them."""
        try:
            chosen = [chat for chat in self._all() if conversation in ("", chat.conversation.id)]
            lines = b"".join(line + b"\n" for line in json_lines(chosen))
            content = lines if form == "jsonl" else to_markdown(chosen).encode()
            write_chosen(file, content)
        except FacetError as error:
            self.problem.emit("The chats were not written", error.message)
        else:
            self.written.emit(str(file))

    def _all(self) -> Iterator[VisibleConversation]:
        for conversation in self._store.conversations():
            yield visible(conversation, self._store.messages(conversation.id))
