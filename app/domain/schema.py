"""Database schema: one migration per version. A published migration never changes; new ones are appended.

`user_version` in the file is the number of applied migrations.
"""

import sqlite3
from collections.abc import Callable

_CONVERSATIONS = (
    """CREATE TABLE conversations (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, model TEXT NOT NULL,
        system_prompt TEXT NOT NULL, sampling TEXT NOT NULL, think INTEGER NOT NULL, leaf TEXT,
        created REAL NOT NULL, updated REAL NOT NULL, folder TEXT NOT NULL, pinned INTEGER NOT NULL, deleted REAL
    )""",
    """CREATE TABLE messages (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        parent TEXT REFERENCES messages (id), role TEXT NOT NULL, text TEXT NOT NULL, thinking TEXT NOT NULL,
        thinking_s REAL NOT NULL, model TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL, statistics TEXT,
        created REAL NOT NULL
    )""",
    "CREATE INDEX conversation_of_message ON messages (conversation)",
    "CREATE INDEX parent_of_message ON messages (parent)",
    "CREATE INDEX unfinished_message ON messages (state) WHERE state = 'streaming'",
    """CREATE VIRTUAL TABLE message_words USING fts5 (
        text, content = 'messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
    )""",
    """CREATE VIRTUAL TABLE title_words USING fts5 (
        title, content = 'conversations', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2'
    )""",
    """CREATE TRIGGER message_added AFTER INSERT ON messages WHEN new.state <> 'streaming' BEGIN
        INSERT INTO message_words (rowid, text) VALUES (new.number, new.text);
    END""",
    """CREATE TRIGGER message_finished AFTER UPDATE OF text, state ON messages WHEN new.state <> 'streaming' BEGIN
        INSERT INTO message_words (rowid, text) VALUES (new.number, new.text);
    END""",
    """CREATE TRIGGER message_changed BEFORE UPDATE OF text, state ON messages WHEN old.state <> 'streaming' BEGIN
        INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.number, old.text);
    END""",
    """CREATE TRIGGER message_removed BEFORE DELETE ON messages WHEN old.state <> 'streaming' BEGIN
        INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.number, old.text);
    END""",
    """CREATE TRIGGER title_added AFTER INSERT ON conversations BEGIN
        INSERT INTO title_words (rowid, title) VALUES (new.number, new.title);
    END""",
    """CREATE TRIGGER title_changed AFTER UPDATE OF title ON conversations BEGIN
        INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.number, old.title);
        INSERT INTO title_words (rowid, title) VALUES (new.number, new.title);
    END""",
    """CREATE TRIGGER title_removed AFTER DELETE ON conversations BEGIN
        INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.number, old.title);
    END""",
)


def _create_conversations(connection: sqlite3.Connection) -> None:
    """Create the tables of conversations and messages, and a full-text index of both.

    An answer is indexed when it is finished, not at each checkpoint.
    """
    for statement in _CONVERSATIONS:
        connection.execute(statement)


def _add_kv_cache(connection: sqlite3.Connection) -> None:
    """Add the context limit and the bits of the KV cache."""
    connection.execute("ALTER TABLE conversations ADD COLUMN context INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE conversations ADD COLUMN cache_bits INTEGER NOT NULL DEFAULT 16")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create_conversations, _add_kv_cache)
