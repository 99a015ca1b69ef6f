"""Tensors in the weight files of a folder, byte by byte."""

from pathlib import Path

from mlx_engine.models.files.safetensors import read_header

Stored = tuple[str, tuple[int, ...], bytes]


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """Return type, shape and bytes of all tensors in `folder`, by name."""
    tensors: dict[str, Stored] = {}
    for file in folder.glob("model*.safetensors"):
        content = file.read_bytes()
        for name, entry in read_header(file).items():
            tensors[name] = (entry.dtype, entry.shape, content[entry.offset : entry.offset + entry.size_bytes])
    return tensors
