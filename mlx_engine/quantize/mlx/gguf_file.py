"""Source for a GGUF file: types that MLX has stay unchanged, others are read as floats.

Only architectures and tokenizers that Facet can import are supported; see `models.gguf`.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import StorageError, UnsupportedModel
from mlx_engine.models.description.gguf import describe_gguf
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.models.gguf import blocks
from mlx_engine.models.gguf.architecture import FACTORS, Placement, plan
from mlx_engine.models.gguf.dequantize import dequantize, row_bytes
from mlx_engine.models.gguf.files import read_model
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.packing import GROUP_SIZE, PACKINGS, READABLE
from mlx_engine.models.gguf.tokenizer import token_ids, write_tokenizer
from mlx_engine.models.library.gguf_import import compute_type, model_config, row_order, special_ids
from mlx_engine.modes import AFFINE
from mlx_engine.quantize.mlx.decoded import Contents
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources.matrix import Arrays, Floats, Matrix


class OpenFiles:
    """The files of a model, read by `pread`. All their tensors are matrices, so `entries` is empty."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self.files = files
        self.entries: Mapping[str, TensorEntry] = {}
        self._descriptors: list[int] = []
        try:
            for path in files:
                self._descriptors.append(os.open(path, os.O_RDONLY))
        except OSError as error:
            self.close()
            raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error

    def read(self, part: int, offset: int, size: int) -> NDArray[np.uint8]:
        """Return `size` bytes of a file."""
        buffer = np.empty(size, np.uint8)
        self.read_into(str(part), offset, buffer)
        return buffer

    def read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None:
        """Fill `buffer` from the file with the index `name`."""
        view, path = buffer.data, self.files[int(name)]
        try:
            while view:
                read = os.preadv(self._descriptors[int(name)], [view], start)
                if not read:
                    raise StorageError(f"{path} was truncated while it was read. Try again.")
                view, start = view[read:], start + read
        except OSError as error:
            raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class GGUFMatrix:
    """One tensor; a vector is a matrix of one row. `order` has the row of the file for each row."""

    file: OpenFiles
    tensor: TensorInfo
    order: NDArray[np.intp]
    shape: tuple[int, ...]
    offset: float = 0.0

    @property
    def formats(self) -> tuple[Format, ...]:
        if self.tensor.type not in PACKINGS:
            return ()
        return (Format(AFFINE.name, PACKINGS[self.tensor.type].bits, GROUP_SIZE),)

    def rows(self, start: int, stop: int) -> Floats:
        values = dequantize(self._blocks(start, stop), self.tensor.type)
        return values - np.float32(self.offset) if self.offset else values

    def packed(self, start: int, stop: int, format: Format) -> Arrays:  # noqa: ARG002 - there is only one
        arrays = blocks.convert(self._blocks(start, stop), self.tensor.type, self.tensor.type)
        weight = np.ascontiguousarray(arrays["weight"]).reshape(stop - start, -1).view(np.uint32)
        return {"weight": weight} | {name: arrays[name].astype(np.float32) for name in ("scales", "biases")}

    def _blocks(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the blocks of rows [rows, bytes]. Rows are permuted only within a head, so few extra rows are read."""
        rows = self.order[start:stop]
        first, last = int(rows.min()), int(rows.max()) + 1
        size = row_bytes(self.tensor.type, self.tensor.shape[-1])
        read = self.file.read(self.tensor.part, self.tensor.offset + first * size, (last - first) * size)
        return read.reshape(-1, size)[rows - first]


def read_file(path: Path) -> Contents:
    """Return the contents of the GGUF file, with the other parts of its model.

    Raises:
        UnsupportedModel: the file contains something that Facet does not support.
        BrokenModel: the file is damaged.
        StorageError: the file cannot be read.
    """
    parts = read_model(path)
    header, metadata = parts.header, Metadata(parts.header.metadata)
    file = OpenFiles(parts.files)
    try:
        model = plan(header, _factors(file, header), types=READABLE)
        ids = token_ids(metadata, len(metadata.texts("tokenizer.ggml.tokens")))
        config = model_config(metadata, model, ids)
    except BaseException:
        file.close()
        raise

    def write_companions(folder: Path) -> None:
        generation = special_ids(write_tokenizer(metadata, folder))
        (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")

    config.pop("quantization_config", None)
    quantization = describe_gguf(path, path.name).quantization
    return Contents(
        path=path,
        config={name: value for name, value in config.items() if name != "quantization"},
        tensors=file,
        plain=(),
        matrices={placement.name: _matrix(file, placement) for placement in model.placements},
        quantization="" if set(quantization.split("/")) <= {"F32", "F16", "BF16"} else quantization,
        notes=_notes(quantization, model.placements),
        write_companions=write_companions,
        uncast=frozenset(_uncast(file, model.placements)),
    )


def _uncast(file: OpenFiles, placements: tuple[Placement, ...]) -> Iterator[str]:
    """Yield the vectors that the model's type cannot represent exactly: llama.cpp widens all vectors."""
    usual = compute_type(placements)
    for placement in placements:
        tensor = placement.tensor
        if tensor.type != "F32" or usual == "F32" or len(tensor.shape) > 1:
            continue
        values = blocks.without_offset(
            file.read(tensor.part, tensor.offset, tensor.size_bytes), tensor.type, placement.offset
        )
        if not blocks.narrows_exactly(values, usual):
            yield placement.name


def _matrix(file: OpenFiles, placement: Placement) -> Matrix:
    rows = math.prod(placement.tensor.shape[:-1])
    order = row_order(rows, placement.interleaved_heads)
    return GGUFMatrix(file, placement.tensor, order, placement.shape, placement.offset)


def _factors(file: OpenFiles, header: GGUFHeader) -> dict[str, list[float]]:
    """Return the values of the tensors of FACTORS, by name."""
    tensors = [tensor for tensor in header.tensors if tensor.name in FACTORS]
    for tensor in tensors:
        if tensor.type != "F32":
            raise UnsupportedModel(f"This file stores {tensor.name!r} as {tensor.type}; Facet supports only F32.")
    return {
        tensor.name: [float(factor) for factor in file.read(tensor.part, tensor.offset, tensor.size_bytes).view("<f4")]
        for tensor in tensors
    }


def _notes(quantization: str, placements: tuple[Placement, ...]) -> tuple[str, ...]:
    types = {placement.tensor.type for placement in placements if len(placement.tensor.shape) > 1}
    exact = sorted(types & PACKINGS.keys())
    floats = sorted(types - PACKINGS.keys() - {"F32", "F16", "BF16"})
    notes = []
    if exact:
        notes.append(
            f"This file is already quantized ({quantization}). The recipe Lossless keeps the weights in {_and(exact)} "
            "unchanged; other recipes quantize them again."
        )
    if floats:
        notes.append(
            f"MLX has no format for {_and(floats)}. These weights are unpacked, and quantized again if the recipe does "
            "so; start from the original if you have it."
        )
    return tuple(notes)


def _and(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
