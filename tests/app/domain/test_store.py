"""Tests of the store of conversations."""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain import database
from app.domain.conversation import MessageState
from app.domain.store import Store
from mlx_engine.errors import StorageError
from mlx_engine.sampling import Sampling
from tests.app.conversations import STATISTICS, conversation, message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facet.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


@contextmanager
def without_root() -> Iterator[None]:
    """Drop root, which bypasses all permissions, for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that is readable but not writable."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        yield Path(name)
        Path(name).chmod(0o755)


def test_a_conversation_survives_a_restart(path: Path, store: Store) -> None:
    """Text, figures and parameters are complete."""
    chat = conversation(sampling=Sampling(seed=3, stop=("x",)), leaf="a", think=False, folder="Work", pinned=True)
    messages = [
        message("q", text="naïve 🐳 مرحبا\x00\x07 <b>"),
        message("a", "q", thinking="Hm.", thinking_s=1.5, model="o/m", statistics=STATISTICS),
        message("f", "q", state=MessageState.FAILED, error="It broke."),
    ]
    store.save(chat, messages)
    store.close()
    with closing(Store(path)) as again:
        assert again.conversations() == [chat]
        assert again.conversation("c") == chat
        assert again.messages("c") == messages


def test_saving_again_replaces(store: Store) -> None:
    """Each conversation and message is stored once, with its last values."""
    store.save(conversation(), [message("q")])
    store.save(conversation(title="Dolphins", leaf="q"), [message("q", text="Changed")])
    assert [chat.title for chat in store.conversations()] == ["Dolphins"]
    assert [message.text for message in store.messages("c")] == ["Changed"]


def test_a_renamed_model_is_renamed_in_all_conversations(store: Store) -> None:
    """In conversations and answers, including deleted ones; other models are unchanged."""
    store.save(conversation(model="o/old"), [message("q"), message("a", "q", model="o/old")])
    store.save(conversation(id="d", model="o/other"), [message("b", model="o/other")])
    store.save(conversation(id="gone", model="o/old"), [])
    store.delete("gone")
    assert [item.id for item in store.rename_model("o/old", "o/new")] == ["c"]
    assert [message.model for message in store.messages("c")] == ["", "o/new"]
    assert store.messages("d")[0].model == "o/other"
    store.restore("gone")
    assert store.conversation("gone") == conversation(id="gone", model="o/new")


def test_a_message_without_conversation_is_rejected(store: Store) -> None:
    """Orphans are not stored."""
    with pytest.raises(StorageError):
        store.save_message("nowhere", message("q"))
    with pytest.raises(StorageError):
        store.save(conversation(), [message("q"), message("a", "nowhere")])
    assert store.conversations() == []


def test_the_most_recent_conversation_comes_first(store: Store) -> None:
    """The list is sorted by last change."""
    for name, updated in (("old", 1.0), ("new", 9.0), ("middle", 5.0)):
        store.save(conversation(name, updated=updated))
    assert [item.id for item in store.conversations()] == ["new", "middle", "old"]


def test_a_deleted_conversation_comes_back_until_the_next_start(path: Path, store: Store) -> None:
    """Deletion can be undone until the file is opened again."""
    store.save(conversation(), [message("q"), message("a", "q")])
    store.delete("c")
    assert (store.conversations(), store.conversation("c"), store.search("hello")) == ([], None, [])
    store.restore("c")
    assert [item.id for item in store.messages("c")] == ["q", "a"]
    store.delete("c")
    store.close()
    with closing(Store(path)) as again:
        again.restore("c")
        assert (again.conversations(), again.messages("c"), again.search("whales")) == ([], [], [])


def test_a_long_conversation_can_be_deleted(path: Path, store: Store) -> None:
    """A chain longer than SQLite's limit of nested triggers is deleted too."""
    ids = [str(number) for number in range(3000)]
    store.save(conversation(), [message(*pair) for pair in zip(ids, [None, *ids], strict=False)])
    store.delete("c")
    store.close()
    with closing(Store(path)) as again:
        assert again.messages("c") == []


def test_an_answer_left_streaming_is_interrupted(path: Path, store: Store) -> None:
    """The checkpoint of a killed app is kept, marked as interrupted and searchable."""
    store.save(conversation(), [message("q"), message("a", "q", text="Half an ans", state=MessageState.STREAMING)])
    assert store.search("half") == []
    store.close()
    with closing(Store(path)) as again:
        answer = again.messages("c")[1]
        assert (answer.state, answer.text) == (MessageState.INTERRUPTED, "Half an ans")
        assert [hit.message_id for hit in again.search("half")] == ["a"]


def test_damaged_figures_do_not_hide_the_message(path: Path, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Damaged statistics are dropped with a warning."""
    store.save(conversation(), [message("q", statistics=STATISTICS)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE messages SET statistics = '{'")
    assert store.messages("c") == [message("q")]
    assert "Statistics" in caplog.text


def test_a_file_of_a_newer_facet_is_not_changed(path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older Facet refuses the file."""
    store.close()
    before = path.read_bytes()
    monkeypatch.setattr(database, "MIGRATIONS", ())
    with pytest.raises(StorageError, match=r"newer Facet.*Nothing was changed"):
        Store(path)
    assert path.read_bytes() == before


def test_a_failed_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is atomic."""

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        connection.execute("CREATE TABLE half (x)")

    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, half))
        with pytest.raises(StorageError):
            Store(path)
    with closing(Store(path)) as store:
        store.save(conversation())
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []


@pytest.mark.parametrize("content", [b"This is not a database. " * 200, b"SQLite format 3\0" + b"\7" * 5000])
def test_a_damaged_file_is_kept_under_another_name(path: Path, content: bytes) -> None:
    """The app starts, and the notice has the name of the old file."""
    path.write_bytes(content)
    with closing(Store(path)) as store:
        assert store.conversations() == []
        (backup,) = path.parent.glob("facet.damaged-*.sqlite3")
        assert backup.read_bytes() == content
        assert backup.name in store.notice


def test_a_second_damaged_file_does_not_replace_the_first(path: Path) -> None:
    """Both damaged files are kept."""
    for content in (b"first" * 1000, b"second" * 1000):
        path.write_bytes(content)
        Store(path).close()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    backups = sorted(path.parent.glob("facet.damaged-*.sqlite3"))
    assert [file.read_bytes()[:5] for file in backups] == [b"first", b"secon"]


def test_a_full_disk_is_an_error(path: Path, store: Store) -> None:
    """The change is rejected as a whole, and the old content is unchanged."""
    store.save(conversation(), [message("q")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="disk"):
            store.save(conversation(title="Changed"), [message("a", "q", text="long " * 1_000_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [chat.title for chat in store.conversations()] == ["Whales"]
    assert store.messages("c") == [message("q")]


def test_later_damage_is_an_error(path: Path, store: Store) -> None:
    """Damaged pages raise StorageError."""
    store.save(conversation(), [message("q", text="word " * 5000)])
    store.close()
    content = path.read_bytes()
    pages = [content[start : start + 4096] for start in range(0, len(content), 4096)]
    path.write_bytes(b"".join(b"\xff" * 4096 if page.count(b"word") > 500 else page for page in pages))
    with closing(Store(path)) as again, pytest.raises(StorageError, match="damaged"):
        again.messages("c")


def test_a_locked_file_is_an_error(path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the other app as the cause, and a later write works."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.01)
    with closing(Store(path)) as late, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="in use"):
            late.save(conversation())
        other.execute("ROLLBACK")
        late.save(conversation())
        assert len(late.conversations()) == 1


def test_a_read_only_file_is_an_error(read_only_folder: Path) -> None:
    """The message suggests to check the permissions."""
    path = read_only_folder / "facet.sqlite3"
    read_only_folder.chmod(0o755)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    path.chmod(0o444)
    read_only_folder.chmod(0o555)
    with without_root(), pytest.raises(StorageError, match="Couldn't write"):
        Store(path)


def test_a_read_only_folder_is_an_error(read_only_folder: Path) -> None:
    """Neither the file nor its folder can be created."""
    with without_root(), pytest.raises(StorageError, match="Couldn't open"):
        Store(read_only_folder / "facet.sqlite3")
    with without_root(), pytest.raises(StorageError, match="Couldn't create"):
        Store(read_only_folder / "new" / "facet.sqlite3")


WRITER = """
import sys
from pathlib import Path
from tests.app.conversations import conversation, message
from app.domain.store import Store
store = Store(Path(sys.argv[1]))
for number in range(100):
    store.save(conversation(f"{sys.argv[2]}{number}"), [message(f"{sys.argv[2]}{number}")])
"""


@pytest.mark.process
def test_two_processes_write_concurrently(path: Path) -> None:
    """Both create and write the file, and its integrity is intact."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM conversations").fetchone() == (200,)


def test_a_second_instance_does_no_harm(path: Path, store: Store) -> None:
    """A streaming answer is marked interrupted only until its next checkpoint."""
    streaming = message("a", text="On", state=MessageState.STREAMING)
    store.save(conversation(), [streaming])
    with closing(Store(path)):
        assert store.messages("c")[0].state == MessageState.INTERRUPTED
        store.save_message("c", replace(streaming, text="On and on"))
    assert store.messages("c")[0].state == MessageState.STREAMING
    store.save_message("c", replace(streaming, text="On and on.", state=MessageState.COMPLETE))
    assert [hit.message_id for hit in store.search("on and")] == ["a"]
