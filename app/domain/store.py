"""Conversations and messages on disk. One instance of Facet owns the file while its window is open.

The app's lock, not this module, excludes a second instance. A second one would do no harm: an answer that is still
streaming there is marked interrupted only until its next checkpoint.
"""

import logging
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from app.domain.conversation import Conversation, Message, MessageState
from app.domain.database import Database
from app.domain.search import SearchHit, search
from mlx_engine.errors import StorageError
from mlx_engine.protocol import Statistics
from mlx_engine.sampling import Sampling

_log = logging.getLogger(__name__)
T = TypeVar("T", bound=msgspec.Struct)


class Store:
    """All conversations. Each method raises StorageError if the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """Open the file, create it if it is missing, and clean up after the last run.

        Answers that were streaming become interrupted; deleted conversations are removed permanently.
        """
        self._database = Database(path)
        self.notice = self._database.notice
        try:
            self._clean_up()
        except StorageError:
            self.close()
            raise

    def conversations(self) -> list[Conversation]:
        """Return all conversations, the most recently changed first."""
        query = "SELECT * FROM conversations WHERE deleted IS NULL ORDER BY updated DESC, number DESC"
        return [_conversation(row) for row in self._database.rows(query)]

    def conversation(self, id: str) -> Conversation | None:
        """Return the conversation, or None if it does not exist."""
        rows = self._database.rows("SELECT * FROM conversations WHERE id = ? AND deleted IS NULL", id)
        return _conversation(rows[0]) if rows else None

    def messages(self, conversation_id: str) -> list[Message]:
        """Return all messages of the conversation, every parent before its children."""
        rows = self._database.rows("SELECT * FROM messages WHERE conversation = ? ORDER BY number", conversation_id)
        return [_message(row) for row in rows]

    def save(self, conversation: Conversation, messages: Iterable[Message] = ()) -> None:
        """Store the conversation and these of its messages, replacing earlier values."""
        with self._database.transaction() as connection:
            connection.execute(_SAVE_CONVERSATION, _conversation_values(conversation))
            connection.executemany(_SAVE_MESSAGE, [_message_values(conversation.id, message) for message in messages])

    def save_message(self, conversation_id: str, message: Message) -> None:
        """Store a message of an existing conversation."""
        with self._database.transaction() as connection:
            connection.execute(_SAVE_MESSAGE, _message_values(conversation_id, message))

    def delete(self, conversation_id: str) -> None:
        """Hide the conversation. `restore` brings it back until the file is opened again."""
        self._set_deleted(conversation_id, time.time())

    def restore(self, conversation_id: str) -> None:
        self._set_deleted(conversation_id, None)

    def rename_model(self, old: str, new: str) -> list[Conversation]:
        """Replace the model id `old` in all conversations and messages, and return the conversations with `new`."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE messages SET model = ? WHERE model = ?", (new, old))
            connection.execute("UPDATE conversations SET model = ? WHERE model = ?", (new, old))
        return [conversation for conversation in self.conversations() if conversation.model == new]

    def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Return matching titles, then matching messages; see `app.domain.search.search`."""
        return search(self._database, query, limit)

    def close(self) -> None:
        self._database.close()

    def _clean_up(self) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE messages SET state = ? WHERE state = 'streaming'", (MessageState.INTERRUPTED,))
            connection.execute("DELETE FROM conversations WHERE deleted IS NOT NULL")

    def _set_deleted(self, conversation_id: str, when: float | None) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE conversations SET deleted = ? WHERE id = ?", (when, conversation_id))


def _conversation_values(conversation: Conversation) -> dict[str, Any]:
    values = {field.name: getattr(conversation, field.name) for field in fields(Conversation)}
    return values | {"sampling": _encode(conversation.sampling)}


def _message_values(conversation_id: str, message: Message) -> dict[str, Any]:
    values = {field.name: getattr(message, field.name) for field in fields(Message)}
    statistics = message.statistics and _encode(message.statistics)
    return values | {"statistics": statistics, "conversation": conversation_id}


def _conversation(row: sqlite3.Row) -> Conversation:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Conversation)}
    sampling = _decode(row["sampling"], Sampling) or Sampling()
    return Conversation(**values | {"sampling": sampling, "think": bool(row["think"]), "pinned": bool(row["pinned"])})


def _message(row: sqlite3.Row) -> Message:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Message)}
    statistics = row["statistics"] and _decode(row["statistics"], Statistics)
    return Message(**values | {"state": MessageState(row["state"]), "statistics": statistics})


def _encode(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _decode(text: str, struct: type[T]) -> T | None:
    """Return the value, or None if the text is damaged: lost figures must not hide the conversation."""
    try:
        return msgspec.json.decode(text, type=struct)
    except msgspec.DecodeError:
        _log.warning("unreadable %s in the database", struct.__name__, exc_info=True)
        return None


def _save_into(table: str, columns: Sequence[str]) -> str:
    replaced = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "id")
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(f':{column}' for column in columns)})"  # noqa: S608 - the column names are constants
        f" ON CONFLICT (id) DO UPDATE SET {replaced}"
    )


_SAVE_CONVERSATION = _save_into("conversations", [field.name for field in fields(Conversation)])
_SAVE_MESSAGE = _save_into("messages", [*(field.name for field in fields(Message)), "conversation"])
