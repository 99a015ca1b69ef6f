"""Finding words in titles and messages, by the index that the database keeps."""

import re
from dataclasses import dataclass

from app.domain.database import Database

MARK_BEGIN, MARK_END = "\x02", "\x03"

# Scripts written without spaces: the index takes a whole sentence for one word, so these are looked for as plain text.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

_TITLES = """
    SELECT c.id AS conversation_id, c.title, NULL AS message_id,
    snippet(title_words, 0, char(2), char(3), '…', 16) AS snippet
    FROM title_words JOIN conversations AS c ON c.number = title_words.rowid
    WHERE title_words MATCH ? AND c.deleted IS NULL ORDER BY rank LIMIT ?
"""
_MESSAGES = """
    SELECT c.id AS conversation_id, c.title, m.id AS message_id,
    snippet(message_words, 0, char(2), char(3), '…', 16) AS snippet
    FROM message_words JOIN messages AS m ON m.number = message_words.rowid
    JOIN conversations AS c ON c.id = m.conversation
    WHERE message_words MATCH ? AND c.deleted IS NULL ORDER BY rank LIMIT ?
"""
_TITLES_AS_TEXT = """
    SELECT c.id AS conversation_id, c.title, NULL AS message_id, c.title AS snippet FROM conversations AS c
    WHERE c.title LIKE ? ESCAPE '\\' AND c.deleted IS NULL ORDER BY c.updated DESC LIMIT ?
"""
_MESSAGES_AS_TEXT = """
    SELECT c.id AS conversation_id, c.title, m.id AS message_id, m.text AS snippet
    FROM messages AS m JOIN conversations AS c ON c.id = m.conversation
    WHERE m.text LIKE ? ESCAPE '\\' AND c.deleted IS NULL ORDER BY m.created DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that was found: a title (`message_id` is None) or a message.

    `snippet` is the text around it, what was found between MARK_BEGIN and MARK_END.
    """

    conversation_id: str
    title: str
    message_id: str | None
    snippet: str


def search(database: Database, words: str, limit: int) -> list[Hit]:
    """Return titles, then messages, that have every one of the words or longer ones that begin so, the best first.

    Nothing in `words` has a meaning of its own: quotes and operators are text like any other.

    Raises:
        StorageError: the file cannot be read.
    """
    words = " ".join(words.replace("\0", " ").split())
    if not words:
        return []
    if _UNSPACED.search(words):
        hits = _find(database, (_TITLES_AS_TEXT, _MESSAGES_AS_TEXT), _like(words), limit)
        return [Hit(one.conversation_id, one.title, one.message_id, _around(one.snippet, words)) for one in hits]
    return _find(database, (_TITLES, _MESSAGES), _all_of(words), limit)


def _find(database: Database, queries: tuple[str, ...], pattern: str, limit: int) -> list[Hit]:
    return [Hit(**row) for query in queries for row in database.rows(query, pattern, limit)][:limit]


def _all_of(words: str) -> str:
    """Return the words as a query of FTS5, each quoted and open at its end."""
    return " ".join('"{}"*'.format(word.replace('"', '""')) for word in words.split())


def _like(words: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", words) + "%"


def _around(text: str, words: str, *, before: int = 20, after: int = 60) -> str:
    begin = max(text.lower().find(words.lower()), 0)
    end = begin + len(words)
    head = ("…" if begin > before else "") + text[max(begin - before, 0) : begin]
    tail = text[end : end + after] + ("…" if len(text) > end + after else "")
    return head + MARK_BEGIN + text[begin:end] + MARK_END + tail
