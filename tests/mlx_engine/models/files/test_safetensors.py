import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlx_engine.errors import BrokenModel, FacetError, UnsupportedModel
from mlx_engine.models.files.safetensors import compose_header, read_header


def file_of(header: Any, data: bytes, path: Path) -> Path:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    return path


def test_a_header_is_read_as_written(tmp_path: Path) -> None:
    """With types, shapes and positions; arrays are aligned to their elements."""
    shapes = {"b": ("F16", (3, 1)), "a": ("U32", (5,)), "c": ("F32", (2, 2)), "empty": ("F32", (0,))}
    header, entries = compose_header(shapes)
    path = tmp_path / "model.safetensors"
    path.write_bytes(header + bytes(42))

    assert read_header(path) == entries
    assert {name: (entry.dtype, entry.shape) for name, entry in entries.items()} == shapes
    assert all(entry.offset % {"F16": 2, "U32": 4, "F32": 4}[entry.dtype] == 0 for entry in entries.values())


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"{", "list of tensors"),
        (b"[]", "list of tensors"),
        (b'{"w": 1}', "list of tensors"),
        (b'{"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', "list of tensors"),
        (b"\xff\xfe{}", "list of tensors"),
        (b"[" * 50_000, "list of tensors"),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "doesn't match its shape"),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, "doesn't match its shape"),
        ({"w": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}}, "doesn't match its shape"),
        ({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}, "truncated"),
        ({"w": {"dtype": "F32", "shape": [2**62] * 100_000, "data_offsets": [0, 8]}}, "list of tensors"),
        (
            {
                "v": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]},
                "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            },
            "'v' overlaps another one",
        ),
    ],
)
def test_a_damaged_header_is_rejected(header: Any, words: str, tmp_path: Path) -> None:
    """One that is not JSON, is inconsistent, or points outside the file."""
    with pytest.raises(BrokenModel, match=words):
        read_header(file_of(header, bytes(8), tmp_path / "model.safetensors"))


@pytest.mark.parametrize(
    "content",
    [b"", b"1234", struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 2**63), struct.pack("<Q", 100) + b"{}"],
)
def test_a_length_beyond_the_file_is_rejected(content: bytes, tmp_path: Path) -> None:
    """A truncated or huge header is not read."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(BrokenModel, match="truncated"):
        read_header(path)


def test_an_unknown_type_is_rejected_by_name(tmp_path: Path) -> None:
    """Such as a future one."""
    header = {"w": {"dtype": "F3_X", "shape": [2], "data_offsets": [0, 8]}}
    with pytest.raises(UnsupportedModel, match="F3_X"):
        read_header(file_of(header, bytes(8), tmp_path / "model.safetensors"))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
_almost_entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "U32", "BF16", "F4"]) | _json,
        "shape": st.lists(st.integers(-1, 4), max_size=3) | _json,
        "data_offsets": st.lists(st.integers(0, 80), min_size=2, max_size=2) | _json,
    }
)


@settings(deadline=None)
@given(header=st.dictionaries(st.text(max_size=4), _almost_entries | _json, max_size=3) | st.binary())
def test_any_header_is_read_or_rejected(header: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tensors are always within the file."""
    path = file_of(header, bytes(64), tmp_path_factory.getbasetemp() / "damaged.safetensors")
    with contextlib.suppress(FacetError):
        size = path.stat().st_size
        assert all(tensor.offset + tensor.size_bytes <= size for tensor in read_header(path).values())
