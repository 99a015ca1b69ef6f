"""Reads the header of a GGUF file: its metadata, and the type, shape and offset of each tensor.

The file is not trusted: every length is checked against the remaining bytes before anything is allocated. It neither
reads weights nor interprets the metadata. Layout: ggml, docs/gguf.md, versions 2 and 3.
"""

import math
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mlx_engine.errors import BrokenModel, ModelNotFound, StorageError, UnsupportedModel

Value = int | float | bool | str | Sequence[Any]

# ggml's number of the type → name, weights per block, bytes per block.
_tensor_types = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
}
# `array` and `struct` use the same codes, except for the size of "l", which is not used.
_number_codes = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 10: "Q", 11: "q", 12: "d"}
_bool_type, _string_type, _array_type = 7, 8, 9

# The largest known vocabularies need 20 MB; a hostile file must not make us read more than this.
_header_limit_bytes = 64 * 2**20
_count_limit = 2**16
_dimensions_limit = 4


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor. `shape` is in reading order, rows first; `offset` counts from the start of the file.

    `part` is the index of the file among those of its model.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int
    part: int = 0

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    metadata: dict[str, Value]
    tensors: tuple[TensorInfo, ...]


def read_header(path: Path) -> GGUFHeader:
    """Return the header of the GGUF file `path`.

    Raises:
        ModelNotFound: the file does not exist.
        BrokenModel: it is not a GGUF file, is truncated, or contradicts itself.
        UnsupportedModel: its version, byte order or a tensor type is not supported.
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.name, path.stat().st_size).read()
    except FileNotFoundError as error:
        raise ModelNotFound(f"{path} no longer exists.") from error
    except OSError as error:
        raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error


class _Reader:
    """Sequential reads from the file, never past its end."""

    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        self._file = file
        self._name = name
        self._size = size
        self._remaining = min(size, _header_limit_bytes)

    def read(self) -> GGUFHeader:
        tensor_count, metadata_count = self._preamble()
        metadata: dict[str, Value] = {}
        for _ in range(metadata_count):
            key = self._string()
            if key in metadata:
                raise self._broken(f"it defines {key!r} twice")
            metadata[key] = self._value(self._number("I"))
        tensors = [self._tensor() for _ in range(tensor_count)]
        return GGUFHeader(metadata, self._with_file_offsets(tensors, self._alignment(metadata)))

    def _preamble(self) -> tuple[int, int]:
        if self._size < 24 or self._read_bytes(4) != b"GGUF":
            raise BrokenModel(f"{self._name} is not a GGUF file.")
        version = self._number("I")
        if version in (0x02000000, 0x03000000):
            raise UnsupportedModel(f"{self._name} is a big-endian GGUF file; Facet only reads little-endian files.")
        if version not in (2, 3):
            raise UnsupportedModel(f"{self._name} is GGUF version {version}; Facet reads versions 2 and 3.")
        counts = self._number("Q"), self._number("Q")
        if max(counts) > _count_limit:
            raise self._broken(f"it claims to contain {counts[0]} tensors and {counts[1]} metadata entries")
        return counts

    def _alignment(self, metadata: dict[str, Value]) -> int:
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 8 <= alignment <= 2**20 or alignment & (alignment - 1):
            raise self._broken(f"its alignment is {alignment!r}")
        return alignment

    def _with_file_offsets(self, tensors: list[TensorInfo], alignment: int) -> tuple[TensorInfo, ...]:
        """Convert offsets from the start of the data to offsets from the start of the file, and check them."""
        data_start = -(-self._file.tell() // alignment) * alignment
        names = set()
        result = []
        for tensor in tensors:
            offset = data_start + tensor.offset
            if tensor.name in names:
                raise self._broken(f"it contains the tensor {tensor.name!r} twice")
            if tensor.offset % alignment:
                raise self._broken(f"its tensor {tensor.name!r} is misaligned")
            if offset + tensor.size_bytes > self._size:
                raise self._broken(f"it ends before the end of its tensor {tensor.name!r}; copy or download it again")
            names.add(tensor.name)
            result.append(TensorInfo(tensor.name, tensor.type, tensor.shape, offset, tensor.size_bytes))
        return tuple(result)

    def _tensor(self) -> TensorInfo:
        name = self._string()
        dimensions = self._number("I")
        if not 1 <= dimensions <= _dimensions_limit:
            raise self._broken(f"its tensor {name!r} has {dimensions} dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))[::-1]
        number, offset = self._number("I"), self._number("Q")
        if number not in _tensor_types:
            raise UnsupportedModel(f"{self._name} contains a tensor of the unknown type number {number}.")
        type_name, block_weights, block_bytes = _tensor_types[number]
        if 0 in shape or shape[-1] % block_weights:
            raise self._broken(f"its tensor {name!r} of type {type_name} has the shape {shape}")
        return TensorInfo(name, type_name, shape, offset, math.prod(shape) // block_weights * block_bytes)

    def _value(self, number: int) -> Value:
        if number == _array_type:
            return self._array(self._number("I"), self._number("Q"))
        return self._scalar_reader(number)()

    def _array(self, number: int, length: int) -> Sequence[Any]:
        if number not in _number_codes:
            read = self._scalar_reader(number)
            self._require(length * (8 if number == _string_type else 1))
            return [read() for _ in range(length)]
        values = array(_number_codes[number])
        values.frombytes(self._read_bytes(length * values.itemsize))
        return values

    def _scalar_reader(self, number: int) -> Callable[[], Value]:
        if number == _string_type:
            return self._string
        if number == _bool_type:
            return self._bool
        if number not in _number_codes:
            raise self._broken(f"it contains a value of the unknown or nested type {number}")
        code = _number_codes[number]
        return lambda: self._number(code)

    def _string(self) -> str:
        text = self._read_bytes(self._number("Q"))
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise self._broken("it contains text that is not UTF-8") from error

    def _bool(self) -> bool:
        value = self._read_bytes(1)[0]
        if value > 1:
            raise self._broken(f"it contains the value {value} instead of true or false")
        return bool(value)

    def _number(self, code: str) -> Any:
        return struct.unpack("<" + code, self._read_bytes(struct.calcsize("<" + code)))[0]

    def _read_bytes(self, count: int) -> bytes:
        self._require(count)
        self._remaining -= count
        content = self._file.read(count)
        if len(content) != count:
            raise self._broken("it became shorter while Facet was reading it")
        return content

    def _require(self, count: int) -> None:
        if count > self._remaining:
            raise self._broken("its header is truncated or claims to be longer than the file")

    def _broken(self, problem: str) -> BrokenModel:
        return BrokenModel(f"{self._name} is damaged: {problem}.")
