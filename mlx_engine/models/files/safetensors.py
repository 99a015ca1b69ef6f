"""Reads and writes the header of a safetensors file, not its weights.

The file is not trusted. Format: huggingface/safetensors, README.md: eight bytes of length, a JSON object, data.
"""

import functools
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from mlx_engine.errors import BrokenModel, StorageError, UnsupportedModel

HEADER_LIMIT_BYTES = 100_000_000
"""The same limit as in the reference reader."""

_bits = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
    "C64": 64,
    "F4": 4,
}

_Count = Annotated[int, msgspec.Meta(ge=0)]
# More dimensions than any tensor has. Without a limit, the product of a million numbers would take minutes.
_Shape = Annotated[tuple[_Count, ...], msgspec.Meta(max_length=16)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: _Shape
    data_offsets: tuple[_Count, _Count]


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor: `dtype` as safetensors names it ("BF16"), `offset` in bytes from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@functools.lru_cache(maxsize=4096)  # the same shapes recur in every layer
def tensor_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Return the size in bytes of the data of such a tensor."""
    return math.prod(shape) * _bits[dtype] // 8


def read_header(path: Path) -> dict[str, TensorEntry]:
    """Return the tensors of the file `path`, by name.

    Raises:
        BrokenModel: the header is damaged, tensors overlap, or the file is shorter than the header declares.
        UnsupportedModel: a tensor has a type that Facet does not support.
        StorageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, HEADER_LIMIT_BYTES):
                raise BrokenModel(f"{path.name} is truncated or isn't a safetensors file. Download the model again.")
            header = file.read(length)
    except OSError as error:
        raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error
    entries = _decode(header, path.name)
    tensors = {name: _checked(name, entry, path.name, 8 + length, size) for name, entry in entries.items()}
    _refuse_overlap(tensors, path.name)
    return tensors


def _decode(header: bytes, file_name: str) -> dict[str, _Entry]:
    try:
        raw = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        raw.pop("__metadata__", None)
        return {name: msgspec.json.decode(entry, type=_Entry) for name, entry in raw.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{file_name} is damaged: its list of tensors is unreadable.") from error


def _checked(name: str, entry: _Entry, file_name: str, data_start: int, file_size: int) -> TensorEntry:
    if entry.dtype not in _bits:
        raise UnsupportedModel(f"{file_name} contains a tensor of type {entry.dtype!r}, which Facet doesn't support.")
    start, stop = entry.data_offsets
    if stop - start != tensor_bytes(entry.dtype, entry.shape):
        raise BrokenModel(f"{file_name} is damaged: the size of {name!r} doesn't match its shape.")
    if data_start + stop > file_size:
        raise BrokenModel(f"{file_name} is truncated before its tensor {name!r}. Download the model again.")
    return TensorEntry(entry.dtype, entry.shape, data_start + start, stop - start)


def _refuse_overlap(tensors: dict[str, TensorEntry], file_name: str) -> None:
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].offset, item[1].size_bytes)):
        if tensor.offset < end:
            raise BrokenModel(f"{file_name} is damaged: its tensor {name!r} overlaps another one.")
        end = tensor.offset + tensor.size_bytes


def compose_header(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> tuple[bytes, dict[str, TensorEntry]]:
    """Lay out a file for `tensors`, a mapping from names to types and shapes.

    Returns the leading bytes of the file, and the offset of each tensor's data. Wider types come first, so that each
    array starts at a multiple of its element size.
    """
    text, ranges = _compose(tensors)
    data_start = 8 + len(text)
    placed = {
        name: TensorEntry(*tensors[name], data_start + start, stop - start) for name, (start, stop) in ranges.items()
    }
    return struct.pack("<Q", len(text)) + text, placed


def header_bytes(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> int:
    """Return the length of the header from `compose_header`, in a fifth of its time."""
    return 8 + len(_compose(tensors)[0])


def _compose(tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Return the JSON of the header, and the start and end of each tensor's data after it."""
    order = sorted(sorted(tensors), key=lambda name: _bits[tensors[name][0]], reverse=True)
    ranges: dict[str, tuple[int, int]] = {}
    fields: dict[str, object] = {"__metadata__": {"format": "mlx"}}
    end = 0
    for name in order:
        dtype, shape = tensors[name]
        start, end = end, end + tensor_bytes(dtype, shape)
        ranges[name] = (start, end)
        fields[name] = {"dtype": dtype, "shape": shape, "data_offsets": (start, end)}
    text = msgspec.json.encode(fields)
    return text + b" " * (-len(text) % 8), ranges
