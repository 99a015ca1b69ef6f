"""Reading values stored as JSON."""

import math
from pathlib import Path

import pytest

from mlx_engine.measure.results.convention import Convention
from mlx_engine.models.files.json_value import bounded, read_value


def test_a_value_is_read(tmp_path: Path) -> None:
    """As it was stored."""
    (tmp_path / "value.json").write_text('{"chunk_tokens": 64}')
    assert read_value(tmp_path / "value.json", Convention) == Convention(chunk_tokens=64)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"chunk_tokens": 3}', b"[" * 100_000, b'{"a":' * 100_000],
    ids=["empty", "cut", "kind", "bytes", "null", "refused", "deep", "deeper"],
)
def test_a_damaged_value_is_none(content: bytes, tmp_path: Path) -> None:
    """No error is raised."""
    (tmp_path / "value.json").write_bytes(content)
    assert read_value(tmp_path / "value.json", Convention) is None


def test_a_missing_file_has_no_value(tmp_path: Path) -> None:
    """Nor has a folder."""
    assert read_value(tmp_path, Convention) is None
    assert read_value(tmp_path / "nothing", Convention) is None


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (1, 1),
        (100, 100),
        (32.0, 32),
        (0, None),
        (101, None),
        (-1, None),
        (1e30, None),
        (math.nan, None),
        (True, None),
        ("4", None),
        (None, None),
    ],
)
def test_a_bounded_integer_is_from_1_to_its_bound(value: object, result: int | None) -> None:
    """Some configurations write integers as floats; anything else counts as absent."""
    assert bounded(value, 100) == result
