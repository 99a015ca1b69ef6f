"""Finding what was said."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.search import MARK_BEGIN, MARK_END
from app.domain.store import Store
from tests.app.said import conversation, message


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


def found(store: Store, words: str) -> list[str | None]:
    return [hit.message_id for hit in store.search(words) if hit.message_id]


def test_titles_come_before_messages(store: Store) -> None:
    """A chat that is called so is the likeliest one meant."""
    hits = store.search("whale")
    assert {(hit.conversation_id, hit.message_id) for hit in hits[:2]} == {("w", None), ("t", None)}
    assert [(hit.conversation_id, hit.title, hit.message_id) for hit in hits[2:]] == [("w", "Whales", "0")]


def test_all_words_must_be_there_and_may_go_on(store: Store) -> None:
    """Every further word narrows the search; the beginning of a word is enough."""
    assert found(store, "blue sing") == ["0"]
    assert found(store, "blue panic") == []


def test_case_and_accents_do_not_matter(store: Store) -> None:
    """People type as it is convenient."""
    assert found(store, "ETE plage") == ["3"]


def test_scripts_without_spaces_are_searched_inside_a_sentence(store: Store) -> None:
    """Two characters in the middle of a Chinese sentence are found."""
    assert found(store, "海里") == ["2"]
    assert [hit.conversation_id for hit in store.search("海豚")] == ["t"]
    assert found(store, "海_") == []


@pytest.mark.parametrize(
    ("words", "ids"),
    [('"quoted"', ["1"]), ("don't-panic", ["1"]), ("c++", ["1"]), ("AND NOT", ["4"]), ("text:blue", []), ("*", [])],
)
def test_nothing_typed_is_an_operator(store: Store, words: str, ids: list[str]) -> None:
    """The query language of the index stays inside."""
    assert found(store, words) == ids


def test_the_snippet_marks_what_was_found(store: Store) -> None:
    """The list can show why a message was found."""
    assert f"{MARK_BEGIN}whale{MARK_END}" in store.search("blue whale")[0].snippet
    assert f"{MARK_BEGIN}海里{MARK_END}" in store.search("海里")[0].snippet


def test_blank_words_find_nothing(store: Store) -> None:
    """An empty field is no question."""
    assert store.search(" \n\0") == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40))
def test_no_words_break_the_search(store: Store, words: str) -> None:
    """Whatever is typed gives an answer, never an error."""
    if words.isprintable():
        store.search(words)


def test_the_index_follows_changes(tmp_path: Path) -> None:
    """Edited and renamed text is found under its new words only."""
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        one = message("q", text="old words")
        store.save(conversation(title="before"), [one])
        store.save(conversation(title="after"), [replace(one, text="new words")])
        assert [len(store.search(words)) for words in ("old", "before", "new", "after")] == [0, 0, 1, 1]


def test_a_large_history_is_searched_by_index(tmp_path: Path) -> None:
    """Among 20,000 messages the one rare word is found, and no more hits than asked for are made."""
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        for block in range(20):
            said = [message(f"{block}-{n}", text=f"common words number {block * 1000 + n}") for n in range(1000)]
            store.save(conversation(str(block), f"Chat {block}"), said)
        assert found(store, "12345") == ["12-345"]
        assert len(store.search("common", limit=30)) == 30
        assert len(store.messages("7")) == 1000
