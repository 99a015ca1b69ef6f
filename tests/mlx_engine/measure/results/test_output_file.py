"""Behaviour of writing a file where somebody wants it."""

import os
from pathlib import Path

import pytest

from mlx_engine.errors import NotWritten
from mlx_engine.measure.results.output_file import write_output


def test_a_link_leads_to_its_file(tmp_path: Path) -> None:
    """It stays a link, and the file has the new content."""
    file, link = tmp_path / "real.txt", tmp_path / "link.txt"
    file.write_text("old")
    link.symlink_to(file)
    write_output(link, b"new")
    assert (link.is_symlink(), file.read_text()) == (True, "new")


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """A pipe, as `/dev/stdout` may be one; it is there afterwards."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    """By what is wrong with it, and nothing is left behind."""
    with pytest.raises(NotWritten, match="There is no folder"):
        write_output(tmp_path / "nowhere" / "a.txt", b"")
    with pytest.raises(NotWritten, match="is a folder"):
        write_output(tmp_path, b"")
    assert list(tmp_path.iterdir()) == []
