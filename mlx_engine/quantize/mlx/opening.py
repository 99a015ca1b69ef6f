"""Opens the source of a conversion: a model folder, quantized or not, or a GGUF file."""

from pathlib import Path

from mlx_engine.models.gguf.files import is_gguf
from mlx_engine.quantize.mlx import gguf_file, published
from mlx_engine.quantize.mlx.decoded import Contents, DecodedSource
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.mlx.source import ArrivingFiles, Source


def open_source(path: Path, arriving: ArrivingFiles | None = None) -> Source:
    """Return the source at `path`; the caller closes it.

    Only the headers of `arriving` weight files need to be in the folder.

    Raises:
        ModelError: the model is missing, damaged, or of a kind that cannot be converted.
        NotArrived: detecting the kind of the model needs too much of a file that has not arrived.
        StorageError: the files cannot be read.
    """
    if is_gguf(path) and path.is_file():
        return _decoded(gguf_file.read_file(path))
    contents = published.read_folder(path, arriving)
    return FolderSource(path, arriving) if contents is None else _decoded(contents)


def _decoded(contents: Contents) -> DecodedSource:
    try:
        return DecodedSource(contents)
    except BaseException:
        contents.tensors.close()
        raise
