"""Tests of the search in titles and messages."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.search import MARK_END, MARK_START
from app.domain.store import Store
from tests.app.conversations import conversation, message


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with closing(Store(tmp_path_factory.mktemp("search") / "facet.sqlite3")) as store:
        texts = [
            "The blue whale sings at 14 Hz",
            'C++ and don\'t-panic "quoted" 100% sure_thing',
            "鲸鱼在海里唱歌,声音很低",
            "Été à la plage",
            "AND OR NOT NEAR",
        ]
        store.save(conversation("w", "Whales"), [message(str(number), text=text) for number, text in enumerate(texts)])
        store.save(conversation("t", "About 海豚 and whales"))
        yield store


def message_ids(store: Store, query: str) -> list[str | None]:
    return [hit.message_id for hit in store.search(query) if hit.message_id]


def test_titles_come_before_messages(store: Store) -> None:
    """A matching title is the most likely target."""
    hits = store.search("whale")
    assert {(hit.conversation_id, hit.message_id) for hit in hits[:2]} == {("w", None), ("t", None)}
    assert [(hit.conversation_id, hit.title, hit.message_id) for hit in hits[2:]] == [("w", "Whales", "0")]


def test_all_words_must_match_as_prefixes(store: Store) -> None:
    """Each word narrows the search; the start of a word is enough."""
    assert message_ids(store, "blue sing") == ["0"]
    assert message_ids(store, "blue panic") == []


def test_case_and_accents_do_not_matter(store: Store) -> None:
    """The query can be lower case and without accents."""
    assert message_ids(store, "ETE plage") == ["3"]


def test_scripts_without_spaces_are_searched_inside_a_sentence(store: Store) -> None:
    """Two characters match in the middle of a Chinese sentence."""
    assert message_ids(store, "海里") == ["2"]
    assert [hit.conversation_id for hit in store.search("海豚")] == ["t"]
    assert message_ids(store, "海_") == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [('"quoted"', ["1"]), ("don't-panic", ["1"]), ("c++", ["1"]), ("AND NOT", ["4"]), ("text:blue", []), ("*", [])],
)
def test_the_query_has_no_operators(store: Store, query: str, ids: list[str]) -> None:
    """The syntax of FTS5 is escaped."""
    assert message_ids(store, query) == ids


def test_the_snippet_marks_the_match(store: Store) -> None:
    """The list can highlight the match."""
    assert f"{MARK_START}whale{MARK_END}" in store.search("blue whale")[0].snippet
    assert f"{MARK_START}海里{MARK_END}" in store.search("海里")[0].snippet


def test_a_blank_query_has_no_hits(store: Store) -> None:
    """An empty field does not search."""
    assert store.search(" \n\0") == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40))
def test_no_query_raises(store: Store, query: str) -> None:
    """Arbitrary queries return hits, never an error."""
    if query.isprintable():
        store.search(query)


def test_the_index_follows_changes(tmp_path: Path) -> None:
    """Edited messages and titles match only their new text."""
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        question = message("q", text="old words")
        store.save(conversation(title="before"), [question])
        store.save(conversation(title="after"), [replace(question, text="new words")])
        assert [len(store.search(query)) for query in ("old", "before", "new", "after")] == [0, 0, 1, 1]


def test_a_large_history_uses_the_index(tmp_path: Path) -> None:
    """A rare word matches among 20,000 messages, and the limit of hits is respected."""
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        for block in range(20):
            messages = [message(f"{block}-{n}", text=f"common words number {block * 1000 + n}") for n in range(1000)]
            store.save(conversation(str(block), f"Chat {block}"), messages)
        assert message_ids(store, "12345") == ["12-345"]
        assert len(store.search("common", limit=30)) == 30
        assert len(store.messages("7")) == 1000
