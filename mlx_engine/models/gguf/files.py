"""The GGUF files of one model: a single file, or the parts that llama.cpp splits a large one into.

Parts are named "…-00001-of-00003.gguf". The first one has the metadata, and each has some of the tensors.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlx_engine.errors import BrokenModel
from mlx_engine.models.files import side_files
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo, read_header
from mlx_engine.models.gguf.metadata import Metadata

_part = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_most_parts = 1000


@dataclass(frozen=True, slots=True)
class GGUFModel:
    """All files of a model, and their headers as one; a tensor's `part` is an index of `files`."""

    files: tuple[Path, ...]
    header: GGUFHeader


def is_gguf(path: Path) -> bool:
    """Return True if the name is that of a GGUF file."""
    return path.suffix.lower() == ".gguf"


def model_name(path: Path) -> str:
    """Return the name of the model in the file `path`, without the number of the part."""
    match = _part.fullmatch(path.name)
    return match[1] if match else path.stem


def is_first(name: str) -> bool:
    """Return True if the file `name` is not a later part of a model."""
    match = _part.fullmatch(name)
    return match is None or int(match[2]) == 1


def belong_together(first: str, second: str) -> bool:
    """Return True if these are names of one file, or of parts of one model."""
    first_part, second_part = _part.fullmatch(first), _part.fullmatch(second)
    if first_part is None or second_part is None:
        return first == second
    return first_part.group(1, 3) == second_part.group(1, 3)


def existing_files(path: Path) -> list[Path]:
    """Return the files in the folder of `path` that are of the same model, itself included."""
    if not _part.fullmatch(path.name):
        return [path]
    return sorted(file for file in path.parent.iterdir() if belong_together(path.name, file.name))


def sole_model(folder: Path) -> Path | None:
    """Return the first file of the only GGUF model in `folder`; None if there is another number of models."""
    files = [
        file
        for file in sorted(folder.iterdir())
        if is_gguf(file)
        and is_first(file.name)
        and not (side_files.is_system_file(file.name) or side_files.is_part(file.name))
    ]
    return files[0] if len(files) == 1 else None


def read_model(path: Path) -> GGUFModel:
    """Return the model that the file `path` is, or is a part of.

    Raises:
        ModelNotFound: the file does not exist.
        BrokenModel: a part is missing, or the parts contradict each other.
        UnsupportedModel, StorageError: as for `header.read_header`.
    """
    files = _all_files(path)
    headers = [read_header(file) for file in files]
    _check_parts(files, headers)
    tensors = tuple(replace(tensor, part=part) for part, header in enumerate(headers) for tensor in header.tensors)
    _check_tensors(tensors, files[0].name, headers[0])
    return GGUFModel(tuple(files), GGUFHeader(headers[0].metadata, tensors))


def _all_files(path: Path) -> list[Path]:
    match = _part.fullmatch(path.name)
    count = min(int(match[3]), _most_parts) if match else 1
    if match is None or count < 2:
        return [path]
    existing = {_part_number(file): file for file in existing_files(path)}
    names = [f"{match[1]}-{number:05}-of-{match[3]}{path.suffix}" for number in range(1, count + 1)]
    if missing := [name for number, name in enumerate(names, 1) if number not in existing]:
        raise BrokenModel(f"{len(missing)} of {count} files are missing, first {missing[0]}.")
    return [existing[number] for number in range(1, count + 1)]


def _part_number(file: Path) -> int:
    match = _part.fullmatch(file.name)
    return int(match[2]) if match else 0


def _check_parts(files: Sequence[Path], headers: Sequence[GGUFHeader]) -> None:
    for number, (file, header) in enumerate(zip(files, headers, strict=True)):
        metadata = Metadata(header.metadata)
        count = metadata.count("split.count", 1) if header.metadata.get("split.count") else 1
        if count != len(files):
            raise BrokenModel(
                f"{file.name} is one of {count} parts of a model. Put all parts into one folder, under their original "
                f"names, which end in -00001-of-{count:05}.gguf and so on."
            )
        if count > 1 and (actual := header.metadata.get("split.no")) != number:
            raise BrokenModel(f"{file.name} is not part {number + 1}, but contains split.no {actual!r}.")


def _check_tensors(tensors: Sequence[TensorInfo], name: str, first: GGUFHeader) -> None:
    names = {tensor.name for tensor in tensors}
    if len(names) != len(tensors):
        raise BrokenModel(f"The parts of {name} contain a tensor twice.")
    expected = first.metadata.get("split.tensors.count")
    if isinstance(expected, int) and expected and expected != len(tensors):
        raise BrokenModel(f"The parts of {name} contain {len(tensors)} tensors instead of {expected}.")
