import fcntl
import hashlib
from pathlib import Path

import pytest

from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.hub.cache import CachedRevision, cache_folder, discard_partial, free_bytes

CONTENT = b"some content"
FILE = RemoteFile("config.json", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
COMMIT = "c" * 40


@pytest.fixture
def revision(tmp_path: Path) -> CachedRevision:
    return CachedRevision.of(tmp_path, "owner/name", COMMIT)


def store(revision: CachedRevision, file: RemoteFile = FILE, content: bytes = CONTENT) -> None:
    with revision.locked_partial(file) as part:
        assert part is not None
        part.write(content)
        revision.store(file)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({}, str(Path("~/.cache/huggingface/hub").expanduser())),
    ],
)
def test_the_cache_folder_is_that_of_huggingface_hub(environment: dict[str, str], folder: str) -> None:
    """It depends on the same variables in the same order."""
    assert cache_folder(environment) == Path(folder)


def test_a_complete_file_is_linked_by_name(revision: CachedRevision) -> None:
    """The link is relative, so that the cache can be moved. The branch names the commit."""
    store(revision)
    revision.link_files([FILE], "main")
    link = revision.folder / "config.json"
    assert link.read_bytes() == CONTENT
    assert not link.readlink().is_absolute()
    assert (revision.repository_folder / "refs" / "main").read_text() == COMMIT


def test_the_configuration_is_linked_last(revision: CachedRevision) -> None:
    """A folder without it is not a model, so a partly linked revision is not listed."""
    store(revision)
    weights = RemoteFile("model.safetensors", 4, "f" * 64)
    store(revision, weights, b"four")
    revision.folder.mkdir(parents=True)
    (revision.folder / "model.safetensors").mkdir()  # A file cannot replace a folder.
    with pytest.raises(OSError, match="model"):
        revision.link_files([FILE, weights], "main")
    assert not (revision.folder / "config.json").exists()


def test_a_link_to_older_content_is_replaced(revision: CachedRevision) -> None:
    """Another app or the user may have left it there."""
    store(revision)
    revision.folder.mkdir(parents=True)
    (revision.folder / "config.json").write_text("other")
    revision.link_files([FILE], COMMIT)
    assert (revision.folder / "config.json").read_bytes() == CONTENT


def test_only_a_file_of_the_right_size_is_complete(revision: CachedRevision) -> None:
    """A partial file that is too long does not count at all."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(CONTENT[:-1])
    assert not revision.is_complete(FILE)
    revision.partial(FILE).write_bytes(CONTENT + b"!")
    assert revision.downloaded_bytes(FILE) == 0
    revision.partial(FILE).write_bytes(CONTENT[:4])
    assert revision.downloaded_bytes(FILE) == 4


def test_a_complete_file_has_no_partial_file(revision: CachedRevision) -> None:
    """Another process may have completed it."""
    store(revision)
    with revision.locked_partial(FILE) as part:
        assert part is None


def test_partial_files_are_deleted_unless_locked(tmp_path: Path, revision: CachedRevision) -> None:
    """Files that another process is downloading stay, and so do complete files."""
    store(revision)
    abandoned, locked = RemoteFile("a", 9, "a" * 64), RemoteFile("b", 9, "b" * 64)
    revision.partial(abandoned).write_bytes(b"part")
    with revision.partial(locked).open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        assert discard_partial(tmp_path, "owner/name") == 4
    assert not revision.partial(abandoned).exists()
    assert revision.partial(locked).exists()
    assert revision.blob(FILE).exists()


def test_unlinked_files_are_deleted(tmp_path: Path, revision: CachedRevision) -> None:
    """They are the first shards of a canceled download. The empty folder is deleted too."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(b"content")
    assert discard_partial(tmp_path, "owner/name") == 7
    assert not revision.repository_folder.exists()


def test_downloads_of_other_apps_are_not_deleted(tmp_path: Path, revision: CachedRevision) -> None:
    """They hold a lock on a complete file until it is linked, or have a partial file."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(b"content")
    lock = tmp_path / ".locks" / revision.repository_folder.name / f"{FILE.digest}.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert discard_partial(tmp_path, "owner/name") == 0
    other = revision.blob(FILE).with_name("abc.123.incomplete")
    other.write_bytes(b"half")
    assert discard_partial(tmp_path, "owner/name") == 0
    assert revision.blob(FILE).exists()
    assert other.exists()


def test_a_deleted_file_is_not_linked(revision: CachedRevision) -> None:
    """If the cache was cleared in the meantime, no broken link is created."""
    with pytest.raises(FileNotFoundError):
        revision.link_files([FILE], "main")
    assert not (revision.folder / FILE.name).is_symlink()


def test_the_free_space_of_a_missing_folder_is_that_of_its_disk(tmp_path: Path) -> None:
    """Before the first download, the folder does not exist."""
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.01)
