import errno
import fcntl
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlx_engine.errors import StorageError
from mlx_engine.models.files.staging import (
    in_use,
    is_in_use,
    is_worked_on,
    locked_partial,
    put_in_place,
    storage_errors,
    sweep,
    write_whole,
)


def test_a_folder_appears_complete(tmp_path: Path) -> None:
    """During writing there is only the partial folder, afterwards only the target."""
    target = tmp_path / "owner" / "model"
    with locked_partial(target) as partial:
        (partial / "weights").write_text("all")
        assert not target.exists()
        put_in_place(partial, target)
    assert [path.name for path in target.parent.iterdir()] == ["model"]
    assert (target / "weights").read_text() == "all"


def test_failed_work_leaves_no_files(tmp_path: Path) -> None:
    """An error removes the partial folder."""
    with pytest.raises(ZeroDivisionError), locked_partial(tmp_path / "model") as partial:
        (partial / "weights").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """Including folders and links in the partial folder, but not the targets of links."""
    (tmp_path / "kept").mkdir()
    old = tmp_path / "model.partial"
    (old / "folder" / "inner").mkdir(parents=True)
    (old / "file").write_text("half")
    (old / "link").symlink_to(tmp_path / "kept")
    with locked_partial(tmp_path / "model") as partial:
        assert list(partial.iterdir()) == []
    assert (tmp_path / "kept").exists()


def test_the_partial_folder_is_locked_during_work(tmp_path: Path) -> None:
    """No other process can lock it."""
    with locked_partial(tmp_path / "model") as partial:
        other = os.open(partial, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)


def test_a_waiting_process_has_a_new_folder(tmp_path: Path) -> None:
    """Not the one that the first process has put in place."""
    target, order = tmp_path / "model", []

    def second() -> None:
        with locked_partial(target) as partial:
            order.append("second")
            (partial / "second").touch()

    with ThreadPoolExecutor() as threads:
        with locked_partial(target) as partial:
            waiting = threads.submit(second)
            (partial / "first").touch()
            put_in_place(partial, target)
            order.append("first")
        waiting.result()
    assert order == ["first", "second"]
    assert [path.name for path in target.iterdir()] == ["first"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "Not enough disk space"), (errno.EACCES, "permission to write"), (errno.EIO, "Input/output error")],
)
def test_a_failure_has_a_message(number: int, words: str, tmp_path: Path) -> None:
    """A full disk and missing permissions have their own."""
    with pytest.raises(StorageError, match=words), storage_errors(tmp_path / "model"):
        raise OSError(number, os.strerror(number))


def test_unlocked_partial_folders_are_removed(tmp_path: Path) -> None:
    """Those of running processes stay, like all models."""
    for name in ("left.partial", "model-1.5b"):
        (tmp_path / "owner" / name).mkdir(parents=True)
        (tmp_path / "owner" / name / "weights").write_text("some")
    busy = tmp_path / "owner" / "busy"
    with locked_partial(busy):
        assert is_worked_on(busy)
        sweep(tmp_path)
        assert {path.name for path in (tmp_path / "owner").iterdir()} == {"busy.partial", "model-1.5b"}
    assert not is_worked_on(busy)


def test_a_file_with_several_writers_is_always_complete(tmp_path: Path) -> None:
    """It has the contents of one writer, and no temporary files remain."""
    file, contents = tmp_path / "value.json", {bytes([letter]) * 100_000 for letter in b"abcd"}

    def write(content: bytes) -> bool:
        for _ in range(20):
            write_whole(file, content)
            if file.read_bytes() not in contents:
                return False
        return True

    with ThreadPoolExecutor() as threads:
        assert all(threads.map(write, contents))
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_replaces_the_temporary_file_of_a_killed_process(tmp_path: Path) -> None:
    """Of any length."""
    (tmp_path / "value.json.partial").write_text("half of something longer")
    write_whole(tmp_path / "value.json", b"whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("value.json", "whole")]


def test_a_file_that_cannot_be_written_does_not_change_the_old_one(tmp_path: Path) -> None:
    """A limit on file sizes simulates a full disk."""
    file = tmp_path / "value.json"
    write_whole(file, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(file, bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("value.json", "old")]


def test_a_folder_in_use_is_recognized(tmp_path: Path) -> None:
    """By one or several processes; a deleted folder is not in use."""
    assert not is_in_use(tmp_path)
    with in_use(tmp_path), in_use(tmp_path):
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)
    assert not is_in_use(tmp_path / "gone")
