"""Tests of exports and copies of conversations."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.store import Store
from app.viewmodels.chat.past_chats import ChatCount, PastChats
from mlx_engine.folders import Folders
from mlx_engine.measure.corpus.corpus import read_corpus
from tests.app.conversations import conversation, message


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A chat with an answer, and one without."""
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        store.save(
            conversation("a", title="Far", leaf="m"),
            [message("q", text="How far?"), message("m", "q", text="Far.", model="o/m")],
        )
        store.save(conversation("b", title="Asked", leaf="r"), [message("r", text="Why?")])
        yield store


@pytest.fixture
def chats(store: Store, tmp_path: Path) -> PastChats:
    return PastChats(store, Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs"))


def test_chats_with_an_answer_are_counted_and_copied(chats: PastChats, store: Store) -> None:
    """Only the user can read the copy, and it does not change with the chats."""
    assert chats.count() == ChatCount(1, 2)
    copy = Path(chats.copy())
    assert copy.parent.stat().st_mode & 0o077 == 0
    (text,) = read_corpus(copy).texts
    assert [message.content for message in text.messages] == ["How far?", "Far."]
    assert chats.copy() == str(copy)
    store.delete("a")
    assert chats.count() == ChatCount(0, 0)
    assert read_corpus(copy).texts == (text,)


def test_exported_lines_are_a_corpus(chats: PastChats, tmp_path: Path) -> None:
    """All chats or a single one can be exported."""
    chats.export(tmp_path / "all.jsonl", "jsonl")
    assert len(read_corpus(tmp_path / "all.jsonl").texts) == 2
    chats.export(tmp_path / "one.jsonl", "jsonl", "b")
    (text,) = read_corpus(tmp_path / "one.jsonl").texts
    assert [message.content for message in text.messages] == ["Why?"]
    chats.export(tmp_path / "one.md", "md", "a")
    assert (tmp_path / "one.md").read_text().startswith("# Far\n")


def test_an_unwritable_file_is_reported(chats: PastChats, tmp_path: Path) -> None:
    """`written` is not emitted."""
    events: list[str] = []
    chats.problem.connect(lambda title, message: events.append(title))
    chats.written.connect(events.append)
    chats.export(tmp_path / "nowhere" / "all.md", "md")
    assert events == ["Couldn't export the chats"]
