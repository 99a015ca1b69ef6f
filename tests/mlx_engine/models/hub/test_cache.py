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


def keep(revision: CachedRevision, file: RemoteFile = FILE, content: bytes = CONTENT) -> None:
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
def test_the_cache_is_where_the_library_has_it(environment: dict[str, str], folder: str) -> None:
    """The same variables, in the same order."""
    assert cache_folder(environment) == Path(folder)


def test_a_whole_file_appears_by_its_name(revision: CachedRevision) -> None:
    """A relative link to the content, so that the cache may be moved; the branch names the commit."""
    keep(revision)
    revision.link_files([FILE], "main")
    link = revision.folder / "config.json"
    assert link.read_bytes() == CONTENT
    assert not link.readlink().is_absolute()
    assert (revision.repository_folder / "refs" / "main").read_text() == COMMIT


def test_the_configuration_appears_last(revision: CachedRevision) -> None:
    """Without it no folder is a model: if making the links ends in the middle, nothing shows."""
    keep(revision)
    weights = RemoteFile("model.safetensors", 4, "f" * 64)
    keep(revision, weights, b"four")
    revision.folder.mkdir(parents=True)
    (revision.folder / "model.safetensors").mkdir()  # Nothing can be put over a folder.
    with pytest.raises(OSError, match="model"):
        revision.link_files([FILE, weights], "main")
    assert not (revision.folder / "config.json").exists()


def test_a_link_to_older_content_is_replaced(revision: CachedRevision) -> None:
    """Left by another program, or by hand."""
    keep(revision)
    revision.folder.mkdir(parents=True)
    (revision.folder / "config.json").write_text("other")
    revision.link_files([FILE], COMMIT)
    assert (revision.folder / "config.json").read_bytes() == CONTENT


def test_only_the_right_size_counts_as_whole(revision: CachedRevision) -> None:
    """Content of another size is none, and a partial file that is too long is of no use."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(CONTENT[:-1])
    assert not revision.is_complete(FILE)
    revision.partial(FILE).write_bytes(CONTENT + b"!")
    assert revision.downloaded_bytes(FILE) == 0
    revision.partial(FILE).write_bytes(CONTENT[:4])
    assert revision.downloaded_bytes(FILE) == 4


def test_a_file_that_became_whole_meanwhile_need_not_be_made(revision: CachedRevision) -> None:
    """Another process was faster."""
    keep(revision)
    with revision.locked_partial(FILE) as part:
        assert part is None


def test_remains_are_removed_but_not_under_somebody(tmp_path: Path, revision: CachedRevision) -> None:
    """What another process downloads at this moment stays, and so do whole files."""
    keep(revision)
    left, used = RemoteFile("a", 9, "a" * 64), RemoteFile("b", 9, "b" * 64)
    revision.partial(left).write_bytes(b"left")
    with revision.partial(used).open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        assert discard_partial(tmp_path, "owner/name") == 4
    assert not revision.partial(left).exists()
    assert revision.partial(used).exists()
    assert revision.blob(FILE).exists()


def test_whole_files_of_no_revision_are_removed_too(tmp_path: Path, revision: CachedRevision) -> None:
    """The first shards of a download that was cancelled; the folder goes with them, as nothing is left in it."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(b"content")
    assert discard_partial(tmp_path, "owner/name") == 7
    assert not revision.repository_folder.exists()


def test_what_another_program_brings_stays(tmp_path: Path, revision: CachedRevision) -> None:
    """It holds a lock while a file is whole and its link not yet made, or has a file of its own in the middle."""
    revision.blob(FILE).parent.mkdir(parents=True)
    revision.blob(FILE).write_bytes(b"content")
    lock = tmp_path / ".locks" / revision.repository_folder.name / f"{FILE.digest}.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert discard_partial(tmp_path, "owner/name") == 0
    other = revision.blob(FILE).with_name("abc.123.incomplete")
    other.write_bytes(b"half")
    assert discard_partial(tmp_path, "owner/name") == 0
    assert revision.blob(FILE).exists()
    assert other.exists()


def test_a_file_that_vanished_is_no_model(revision: CachedRevision) -> None:
    """Somebody has cleared the cache at the last moment: no link points to nothing."""
    with pytest.raises(FileNotFoundError):
        revision.link_files([FILE], "main")
    assert not (revision.folder / FILE.name).is_symlink()


def test_the_space_of_a_folder_that_is_not_there_yet_is_its_disks(tmp_path: Path) -> None:
    """The question comes before the first download."""
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.01)
