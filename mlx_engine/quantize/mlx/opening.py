"""Opens whatever can be converted: a model folder, quantized already or not, or a GGUF file."""

from pathlib import Path

from mlx_engine.quantize.mlx import gguf_file, published
from mlx_engine.quantize.mlx.decoded import Contents, Decoded
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.mlx.source import Arriving, Source


def open_source(path: Path, arriving: Arriving | None = None) -> Source:
    """Return what a conversion reads from; the caller closes it.

    Of weight files that are `arriving` only the headers need to be in the folder.

    Raises:
        ModelError: there is no model, or one that is damaged or of a kind that cannot be converted.
        NotArrived: to say what it is takes more of a file than can be had before it is here.
        StorageError: it cannot be read.
    """
    if path.suffix == ".gguf" and path.is_file():
        return _decoded(gguf_file.read_file(path))
    contents = published.read_folder(path, arriving)
    return FolderSource(path, arriving) if contents is None else _decoded(contents)


def _decoded(contents: Contents) -> Decoded:
    try:
        return Decoded(contents)
    except BaseException:
        contents.tensors.close()
        raise
