"""Full-text search in titles and messages, using the index in the database."""

import re
from dataclasses import dataclass, replace

from app.domain.database import Database

MARK_START, MARK_END = "\x02", "\x03"

# Scripts without spaces: the index stores a whole sentence as one word, so these are searched as substrings.
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
class SearchHit:
    """A title (`message_id` is None) or a message that matches.

    `snippet` is the text around the match, which is between MARK_START and MARK_END.
    """

    conversation_id: str
    title: str
    message_id: str | None
    snippet: str


def search(database: Database, query: str, limit: int) -> list[SearchHit]:
    """Return matching titles, then matching messages, each by rank. All words of `query` must match, as prefixes.

    The query has no syntax: quotes and operators are plain text.

    Raises:
        StorageError: the file cannot be read.
    """
    query = " ".join(query.replace("\0", " ").split())
    if not query:
        return []
    if _UNSPACED.search(query):
        hits = _find(database, (_TITLES_AS_TEXT, _MESSAGES_AS_TEXT), _like_pattern(query), limit)
        return [replace(hit, snippet=_snippet(hit.snippet, query)) for hit in hits]
    return _find(database, (_TITLES, _MESSAGES), _fts_query(query), limit)


def _find(database: Database, queries: tuple[str, ...], pattern: str, limit: int) -> list[SearchHit]:
    return [SearchHit(**row) for query in queries for row in database.rows(query, pattern, limit)][:limit]


def _fts_query(query: str) -> str:
    """Return the words as an FTS5 query of quoted prefixes."""
    return " ".join('"{}"*'.format(word.replace('"', '""')) for word in query.split())


def _like_pattern(query: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", query) + "%"


def _snippet(text: str, query: str, *, before: int = 20, after: int = 60) -> str:
    start = max(text.lower().find(query.lower()), 0)
    end = start + len(query)
    head = ("…" if start > before else "") + text[max(start - before, 0) : start]
    tail = text[end : end + after] + ("…" if len(text) > end + after else "")
    return head + MARK_START + text[start:end] + MARK_END + tail
