"""Source for a folder of safetensors: a Hugging Face model as published, or one quantized for MLX."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx

from mlx_engine.errors import BrokenModel, StorageError, UnsupportedModel
from mlx_engine.models.configuration.read import read_configuration
from mlx_engine.models.description.describe import ModelDescription, describe
from mlx_engine.models.files import foreign_errors as foreign
from mlx_engine.models.files import safetensors
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.models.files.weight_files import weight_files
from mlx_engine.quantize.mlx.network import Network
from mlx_engine.quantize.mlx.source import ArrivingFiles, Rows, Shards
from mlx_engine.quantize.mlx.tracing import NetworkTrace, Origin, trace
from mlx_engine.quantize.plan import companions
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.recipe import Format


class FolderSource:
    """A `Source`. Only the headers of `arriving` weight files need to be in the folder.

    Raises:
        ModelError: the folder is missing, damaged, or of a kind that mlx-lm does not run.
        StorageError: the folder cannot be read.
    """

    def __init__(self, path: Path, arriving: ArrivingFiles | None = None) -> None:
        self.path = path
        headers = {file: safetensors.read_header(file) for file in weight_files(path).files}
        description = describe(path, path.name)
        tensors = {name: entry for header in headers.values() for name, entry in header.items()}
        self._traced = _trace(description, tensors)
        self._notes = description.notes
        self._shards = Shards(headers, arriving)
        self._calculated: dict[str, mx.array] = {}
        self._prepared: tuple[Path, ...] = ()
        """The files from which `_calculated` was computed."""

    @property
    def outline(self) -> Outline:
        return self._traced.outline

    @property
    def config(self) -> Mapping[str, Any]:
        return self._traced.config

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.outline.quantization:
            return self._notes
        return (
            *self._notes,
            f"This model is already quantized ({self.outline.quantization}). Quality lost there can't be restored; "
            "start from the original if you have it.",
        )

    @property
    def files(self) -> tuple[Path, ...]:
        return self._shards.files

    def rows(self, name: str) -> Rows:
        path = name.removesuffix(".weight")
        return self._unpacked(path) if name != path and path in self._traced.formats else self._rows(name)

    def packed(self, name: str, format: Format) -> Mapping[str, Rows] | None:
        path = name.removesuffix(".weight")
        if self._traced.formats.get(path) != format:
            return None
        return self._parts(path)

    def needs(self, name: str) -> frozenset[str]:
        path = name.removesuffix(".weight")
        parts = (f"{path}.{part}" for part in ("weight", "scales", "biases"))
        names = [part for part in parts if part in self._traced.arrays] if path in self._traced.formats else [name]
        tensors = frozenset[str]().union(*(self._traced.arrays[array].lineage.tensors for array in names))
        return frozenset(self._shards.tensors[tensor].path.name for tensor in tensors)

    def forget(self, files: Collection[str]) -> None:
        self._calculated, self._prepared = {}, ()
        self._shards.forget(files)

    def write_companions(self, folder: Path) -> None:
        companions.copy(self.path, folder)

    def close(self) -> None:
        self._shards.close()

    def _parts(self, path: str) -> dict[str, Rows]:
        names = {part: f"{path}.{part}" for part in ("weight", "scales", "biases")}
        return {part: self._rows(name) for part, name in names.items() if name in self._traced.arrays}

    def _unpacked(self, path: str) -> Rows:
        form = self._traced.formats[path]
        parts = self._parts(path)

        def read(start: int, stop: int) -> mx.array:
            arrays = {part: rows(start, stop) for part, rows in parts.items()}
            return mx.dequantize(
                arrays["weight"],
                arrays["scales"],
                arrays.get("biases"),
                group_size=form.group_size,
                bits=form.bits,
                mode=form.mode,
            )

        return read

    def _rows(self, name: str) -> Rows:
        origin = self._traced.arrays[name]
        columns = origin.shape[-1] if origin.shape else 1
        if origin.lineage.extents is not None:
            return self._shards.rows(origin.lineage.extents, columns, origin.dtype)
        matrix = self._calculate(name, origin).reshape(-1, columns)
        mx.eval(matrix)
        return lambda start, stop: matrix[start:stop]

    def _calculate(self, name: str, origin: Origin) -> mx.array:
        """Calculate the whole array in MLX, from lazily loaded weights."""
        contents = tuple(map(self._shards.contents, self.files))
        try:
            if self._prepared != contents:
                self._calculated, self._prepared = self._prepare(contents), contents
            array = self._calculated.pop(name)
            mx.eval(array)
        except foreign.FOREIGN_ERRORS as error:
            raise foreign.translate(error, self.path.name) from error
        if (tuple(array.shape), array.dtype) != (origin.shape, origin.dtype):
            raise BrokenModel(
                f"{self.path.name}: {name} depends on the values of weights, so Facet can't convert the model."
            )
        return array

    def _prepare(self, contents: Iterable[Path]) -> dict[str, mx.array]:
        weights: dict[str, mx.array] = {}
        for file in contents:
            if not file.exists():
                raise StorageError(f"{file} was removed during the conversion.")
            weights |= mx.load(str(file), format="safetensors")  # type: ignore[arg-type]  # a dictionary
        arrays = self._traced.arrays
        sanitized = Network(self.config).sanitize(weights)
        return {name: array for name, array in sanitized.items() if arrays[name].lineage.extents is None}


def _trace(description: ModelDescription, tensors: Mapping[str, TensorEntry]) -> NetworkTrace:
    if description.obstacle:
        raise UnsupportedModel(description.obstacle)
    config = read_configuration(description.path)
    is_packed = bool(config.get("quantization"))
    return trace(config, tensors, name=description.name, quantization=description.quantization if is_packed else "")
