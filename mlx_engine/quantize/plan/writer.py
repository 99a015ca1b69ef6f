"""Writes weight files in place: the headers first, then each run of rows at its offset, in any order.

The files are standard safetensors, with the index that mlx-lm writes.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.models.files.safetensors import TensorEntry, compose_header
from mlx_engine.quantize.plan.shards import Array, Shard, into_shards


@dataclass(frozen=True, slots=True)
class _Place:
    descriptor: int
    entry: TensorEntry


class Writer:
    """The weight files of one model in `folder`, for `arrays` by name in the network's order.

    Raises:
        OSError: a file cannot be written. All methods raise it too.
    """

    def __init__(self, folder: Path, arrays: Iterable[tuple[str, Array]]) -> None:
        self._folder = folder
        self._shards = into_shards(arrays)
        self._descriptors: list[int] = []
        self._places: dict[str, _Place] = {}
        try:
            for shard in self._shards:
                self._create(shard)
        except OSError:
            self.close()
            raise

    @property
    def data_bytes(self) -> int:
        """The total size of all arrays."""
        return sum(place.entry.size_bytes for place in self._places.values())

    def write(self, name: str, data: memoryview, *, row: int, rows: int) -> int:
        """Write rows of an array of `rows` rows, starting at `row`; return the number of bytes. Thread-safe."""
        place = self._places[name]
        view, at = data.cast("B"), place.entry.offset + place.entry.size_bytes * row // rows
        written = view.nbytes
        while view:
            count = os.pwrite(place.descriptor, view, at)
            view, at = view[count:], at + count
        return written

    def finish(self, parameters: int) -> None:
        """Flush everything to the disk and write the index; `parameters` are the weights before quantization."""
        self.sync()
        files = {name: shard.file_name for shard in self._shards for name in shard.arrays}
        index = {
            "metadata": {"total_size": self.data_bytes, "total_parameters": parameters},
            "weight_map": dict(sorted(files.items())),
        }
        (self._folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=4))

    def sync(self) -> None:
        """Flush all writes to the disk."""
        for descriptor in self._descriptors:
            os.fsync(descriptor)

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _create(self, shard: Shard) -> None:
        header, entries = compose_header(dict(shard.arrays))
        descriptor = os.open(self._folder / shard.file_name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._descriptors.append(descriptor)
        os.write(descriptor, header)
        os.ftruncate(descriptor, len(header) + sum(entry.size_bytes for entry in entries.values()))
        self._places |= {name: _Place(descriptor, entry) for name, entry in entries.items()}
