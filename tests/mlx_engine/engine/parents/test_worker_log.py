import io
from pathlib import Path

from mlx_engine.engine.parents.worker_log import LARGEST_BYTES, LONGEST_LINE, TAIL_LINES, WorkerLog


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    """After any amount of output, the tail is short and ends with the newest line."""
    log = WorkerLog(tmp_path / "engine.log")
    for number in range(TAIL_LINES + 5):
        log.write(f"line {number}\n")

    assert log.tail().splitlines() == [f"line {number}" for number in range(5, TAIL_LINES + 5)]


def test_the_files_stay_bounded(tmp_path: Path) -> None:
    """Endless output does not fill the disk."""
    log = WorkerLog(tmp_path / "logs" / "engine.log")
    log.drain(io.BytesIO(b"x" * (3 * LARGEST_BYTES)))

    sizes = [file.stat().st_size for file in (tmp_path / "logs").iterdir()]
    assert 0 < sum(sizes) <= 2 * (LARGEST_BYTES + LONGEST_LINE + 1)


def test_invalid_bytes_stay_readable(tmp_path: Path) -> None:
    """Native libraries may write any bytes."""
    log = WorkerLog(tmp_path / "engine.log")
    log.drain(io.BytesIO(b"abort \xff\xfe now\n"))

    assert log.tail() == "abort \ufffd\ufffd now"


def test_the_tail_is_kept_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    """The last lines reach the user even if the disk is full or read-only."""
    (tmp_path / "logs").write_text("a file where a folder should be")
    log = WorkerLog(tmp_path / "logs" / "engine.log")
    log.write("last words")

    assert log.tail() == "last words"
