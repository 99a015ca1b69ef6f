"""Writing a file to a selected path."""

import os
from pathlib import Path

import pytest

from mlx_engine.errors import NotWritten
from mlx_engine.measure.results.output_file import write_output


def test_a_link_is_followed(tmp_path: Path) -> None:
    """It remains a link, and its target has the new content."""
    file, link = tmp_path / "real.txt", tmp_path / "link.txt"
    file.write_text("old")
    link.symlink_to(file)
    write_output(link, b"new")
    assert (link.is_symlink(), file.read_text()) == (True, "new")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """`/dev/stdout` may be a pipe."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_output(pipe, b"new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()


def test_an_invalid_path_raises_an_error_with_the_reason(tmp_path: Path) -> None:
    """No file is created."""
    with pytest.raises(NotWritten, match="does not exist"):
        write_output(tmp_path / "nowhere" / "a.txt", b"")
    with pytest.raises(NotWritten, match="is a folder"):
        write_output(tmp_path, b"")
    assert list(tmp_path.iterdir()) == []
