"""Distributes the arrays of a model among weight files, as mlx-lm does.

Source: mlx-lm 0.32, `utils.make_shards` and `utils.save_model`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlx_engine.models.files.safetensors import tensor_bytes

Array = tuple[str, tuple[int, ...]]
"""Type, as safetensors names it, and shape."""

SHARD_BYTES = 5 * 2**30
"""Maximum size of a file, unless a single array is larger."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A weight file: its name, and its arrays in the network's order."""

    file_name: str
    arrays: Mapping[str, Array]


def into_shards(arrays: Iterable[tuple[str, Array]]) -> tuple[Shard, ...]:
    """Distribute `arrays`, by name and in the network's order, among files."""
    files: list[dict[str, Array]] = []
    free = 0
    for name, array in arrays:
        size = tensor_bytes(*array)
        if not files or size > free:
            files.append({})
            free = SHARD_BYTES
        files[-1][name] = array
        free -= size
    return tuple(Shard(_file_name(number, len(files)), file) for number, file in enumerate(files, start=1))


def _file_name(number: int, count: int) -> str:
    return f"model-{number:05}-of-{count:05}.safetensors" if count > 1 else "model.safetensors"
