"""Copies of conversations: a file for export, or a corpus for a study."""

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
from mlx_engine.measure.results.output_file import write_output
from mlx_engine.measure.study.past_chats import save_copy

ExportFormat = Literal["jsonl", "md"]


@dataclass(frozen=True, slots=True)
class ChatCount:
    """Number of conversations with an answer, and of their messages."""

    chats: int
    messages: int

    @property
    def summary(self) -> str:
        """Return "12 chats with 148 messages"."""
        return f"{format_count(self.chats, 'chat')} with {format_count(self.messages, 'message')}"


class PastChats(QObject):
    """Reads the store on each call."""

    written = Signal(str)  # path of the file
    problem = Signal(str, str)  # title, message

    def __init__(self, store: Store, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._folders = store, folders

    def count(self) -> ChatCount:
        """Return the number of chats with an answer, or none if they cannot be read."""
        try:
            lengths = [len(messages) for chat in self._all() if (messages := answered_messages(chat))]
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return ChatCount(0, 0)
        return ChatCount(len(lengths), sum(lengths))

    def copy(self) -> str:
        """Copy all chats with an answer for a study, and return the path; "" after an error, which is emitted."""
        chats = (
            json_line(chat.conversation.title, messages)
            for chat in self._all()
            if (messages := answered_messages(chat))
        )
        try:
            return str(save_copy(chats, self._folders.chats))
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return ""

    def export(self, file: Path, form: ExportFormat, conversation: str = "") -> None:
        """Write one conversation, or all for "", to a file."""
        try:
            chats = [chat for chat in self._all() if conversation in ("", chat.conversation.id)]
            lines = b"".join(line + b"\n" for line in json_lines(chats))
            content = lines if form == "jsonl" else to_markdown(chats).encode()
            write_output(file, content)
        except FacetError as error:
            self.problem.emit("Couldn't export the chats", error.message)
        else:
            self.written.emit(str(file))

    def _all(self) -> Iterator[VisibleConversation]:
        for conversation in self._store.conversations():
            yield visible(conversation, self._store.messages(conversation.id))
