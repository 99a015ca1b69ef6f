"""Behaviour of keeping answers within bounds."""

import os
from pathlib import Path

from mlx_engine.measure.kept_answers import kept_answers, make_room


def _store(root: Path, name: str, *, used: float) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "chunk-00000").write_bytes(b"x" * 1000)
    os.utime(folder / "chunk-00000", (used, used))
    return folder


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    """Until the rest is small enough."""
    for name, used in (("b", 1.0), ("a", 2.0), ("c", 3.0)):
        _store(tmp_path, name, used=used)
    make_room(tmp_path, spared=(), most_bytes=2000)
    assert [kept.folder.name for kept in kept_answers(tmp_path)] == ["a", "c"]


def test_what_is_needed_stays(tmp_path: Path) -> None:
    """However old and large it is."""
    old = _store(tmp_path, "old", used=1.0)
    _store(tmp_path, "new", used=2.0)
    make_room(tmp_path, spared={old}, most_bytes=500)
    assert [kept.folder for kept in kept_answers(tmp_path)] == [old]


def test_a_damaged_store_is_listed_and_not_whole(tmp_path: Path) -> None:
    """It takes room, and can be deleted."""
    _store(tmp_path, "damaged", used=1.0)
    (kept,) = kept_answers(tmp_path)
    assert (kept.header, kept.size_bytes, kept.is_whole) == (None, 1000, False)
