"""Imports a GGUF file as a standard MLX model folder without changing any weight.

Quantized weights are repacked as MLX expects them; the rest is copied. A file that cannot be imported exactly is
refused before anything is written. It is read in slices, so memory does not grow with the model. MLX is not needed: the
folder is written byte by byte.

    python -m mlx_engine import-gguf SOURCE TARGET
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import AlreadyExists, BrokenModel, FacetError, ModelError, StorageError, UnsupportedModel
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import safetensors, staging
from mlx_engine.models.gguf import blocks, packing
from mlx_engine.models.gguf.architecture import FACTORS, ImportPlan, Placement, plan
from mlx_engine.models.gguf.files import read_model
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.packing import COPIED, GROUP_SIZE, PACKINGS
from mlx_engine.models.gguf.tokenizer import TokenIds, write_tokenizer
from mlx_engine.modes import AFFINE

_slice_bytes = 16 * 2**20


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Bytes of the file's weights that have been imported."""

    done_bytes: int
    total_bytes: int


def import_gguf(source: Path, target: Path, *, origin: str = "") -> Iterator[ImportProgress]:
    """Write the model in `source` as the folder `target`, and yield the progress; closing the iterator cancels.

    `origin` is the source of the file for `facet.json`. A target that already contains the import is left unchanged.
    Concurrent imports into the same target produce one complete folder.

    Raises:
        ModelNotFound: the file does not exist.
        BrokenModel: the file is damaged.
        UnsupportedModel: the file cannot be imported exactly.
        StorageError: the file cannot be read, or the folder cannot be written or contains another model.
    """
    parts = read_model(source)
    header, weights = parts.header, _Source(parts.files)
    model = plan(header, weights.factors(header))
    note = _provenance(parts.files, Metadata(header.metadata), origin)
    with staging.storage_errors(target):
        if _is_done(target, note):
            return
        with staging.locked_partial(target) as partial:
            if _is_done(target, note):
                return
            yield from _write(partial, Metadata(header.metadata), model, weights)
            provenance.write(partial, note)
            staging.put_in_place(partial, target)


def main(arguments: list[str]) -> int:
    """Run the command line; print the progress as JSON lines, and an error as the last line."""
    parser = argparse.ArgumentParser(prog="import-gguf", description="Import a GGUF file as an MLX model folder.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--origin", default="", help="where the file came from")
    options = parser.parse_args(arguments)
    try:
        for progress in import_gguf(options.source, options.target, origin=options.origin):
            _print_event({"done_bytes": progress.done_bytes, "total_bytes": progress.total_bytes})
    except FacetError as error:
        _print_event({"error": type(error).__name__, "message": error.message})
        return 1
    return 0


def _print_event(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _is_done(target: Path, note: provenance.Provenance) -> bool:
    """Return whether the target already contains this import, complete. A damaged one will be replaced.

    Raises:
        AlreadyExists: the target contains another model.
    """
    if not target.exists():
        return False
    if provenance.read(target).source_sha256 != note.source_sha256:
        raise AlreadyExists(f"{target} already contains another model. Remove it or choose another name.")
    try:
        describe(target, id=target.name)
    except ModelError:
        return False
    return True


def _provenance(files: Sequence[Path], metadata: Metadata, origin: str) -> provenance.Provenance:
    source, digest = files[0], hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except OSError as error:
            raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error
    return provenance.Provenance(
        source=origin or source.name,
        source_sha256=digest.hexdigest(),
        license=metadata.text("general.license", ""),
        recipe=f"Imported from {source.name} without loss: all weights are unchanged.",
        created=provenance.now(),
        tools=provenance.versions("facet", "numpy", "tokenizers"),
    )


class _Source:
    """The weights in the files, read by rows."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._bytes: list[NDArray[np.uint8]] = [np.memmap(path, mode="r", dtype=np.uint8) for path in files]

    def factors(self, header: GGUFHeader) -> dict[str, list[float]]:
        """Return the values of the tensors of FACTORS, by name."""
        return {tensor.name: self._factors(tensor) for tensor in header.tensors if tensor.name in FACTORS}

    def _factors(self, tensor: TensorInfo) -> list[float]:
        if tensor.type != "F32":
            raise UnsupportedModel(f"{tensor.name!r} has the type {tensor.type}; Facet only reads F32.")
        return [float(factor) for factor in self._all(tensor).view("<f4")]

    def rows(self, placement: Placement) -> NDArray[np.uint8]:
        """Return the tensor as [rows, bytes of a row]; it is read from disk on access."""
        tensor = placement.tensor
        return self._values(placement).reshape(-1, blocks.row_bytes(tensor.type, tensor.shape))

    def stored_type(self, placement: Placement, model_type: str) -> str:
        """Return the type for storing a tensor.

        llama.cpp widens all vectors to F32, which would make MLX compute everything in float32. A vector is narrowed to
        the model's type if that is exact for every value.
        """
        tensor = placement.tensor
        if tensor.type != "F32" or model_type == "F32":
            return tensor.type
        return model_type if blocks.narrows_exactly(self._values(placement), model_type) else "F32"

    def _values(self, placement: Placement) -> NDArray[np.uint8]:
        return blocks.without_offset(self._all(placement.tensor), placement.tensor.type, placement.offset)

    def _all(self, tensor: TensorInfo) -> NDArray[np.uint8]:
        return self._bytes[tensor.part][tensor.offset : tensor.offset + tensor.size_bytes]


def _write(partial: Path, metadata: Metadata, model: ImportPlan, weights: _Source) -> Iterator[ImportProgress]:
    ids = write_tokenizer(metadata, partial)
    _write_json(partial / "config.json", model_config(metadata, model, ids))
    _write_json(partial / "generation_config.json", special_ids(ids))
    with (partial / "model.safetensors").open("wb") as file:
        yield from _write_weights(file, model.placements, weights)
        file.flush()
        os.fsync(file.fileno())


def model_config(metadata: Metadata, model: ImportPlan, ids: TokenIds) -> dict[str, Any]:
    """Return `config.json` of the imported model.

    Raises:
        BrokenModel: there are more tokens than rows in the embedding.
    """
    tokens = len(metadata.texts("tokenizer.ggml.tokens"))
    if tokens > model.config["vocab_size"]:
        raise BrokenModel(f"The file has {tokens} tokens but only {model.config['vocab_size']} rows of embeddings.")
    config = {**model.config, **special_ids(ids), "torch_dtype": _torch_names[compute_type(model.placements)]}
    if quantization := _quantization(model.placements):
        # Readers of the Transformers format look for the second name.
        config |= {"quantization": quantization, "quantization_config": quantization}
    return config


def special_ids(ids: TokenIds) -> dict[str, Any]:
    """Return the fields of `config.json` and `generation_config.json` for special tokens."""
    end = list(ids.end) if len(ids.end) > 1 else ids.end[0]
    fields = {"bos_token_id": ids.start, "eos_token_id": end, "pad_token_id": ids.padding}
    return {name: value for name, value in fields.items() if value is not None}


_torch_names = {"F16": "float16", "BF16": "bfloat16", "F32": "float32"}


def compute_type(placements: tuple[Placement, ...]) -> str:
    """Return the type that the model computes in: the embedding's type, or that of its scales."""
    embedding = placements[0].tensor.type
    return embedding if embedding in COPIED else "F16"


def _quantization(placements: tuple[Placement, ...]) -> dict[str, Any]:
    """Return `quantization` of `config.json`: the most common bits, and every layer with other bits by name."""
    bits = {
        placement.name.removesuffix(".weight"): PACKINGS[placement.tensor.type].bits
        for placement in placements
        if placement.tensor.type in PACKINGS
    }
    if not bits:
        return {}
    common = max(set(bits.values()), key=list(bits.values()).count)
    settings = {"group_size": GROUP_SIZE, "mode": AFFINE.name}
    exceptions = {name: {**settings, "bits": layer_bits} for name, layer_bits in bits.items() if layer_bits != common}
    return {**settings, "bits": common, **exceptions}


def _write_weights(file: BinaryIO, placements: tuple[Placement, ...], weights: _Source) -> Iterator[ImportProgress]:
    model_type = compute_type(placements)
    types = {placement.name: weights.stored_type(placement, model_type) for placement in placements}
    layouts = {
        _array_name(placement.name, part): layout
        for placement in placements
        for part, layout in packing.layout(types[placement.name], placement.shape).items()
    }
    header, entries = safetensors.compose_header(layouts)
    file.write(header)
    total = sum(placement.tensor.size_bytes for placement in placements)
    done = 0
    for placement in placements:
        rows = weights.rows(placement)
        order = row_order(len(rows), placement.interleaved_heads)
        step = max(1, _slice_bytes // rows.shape[1])
        for start in range(0, len(rows), step):
            batch = rows[order[start : start + step]]
            for part, array in blocks.convert(batch, placement.tensor.type, types[placement.name]).items():
                entry = entries[_array_name(placement.name, part)]
                file.seek(entry.offset + entry.size_bytes * start // len(rows))
                file.write(np.ascontiguousarray(array).tobytes())
            done += batch.nbytes
            yield ImportProgress(done, total)


def _array_name(name: str, part: str) -> str:
    """Return the array's name: "x.weight" becomes "x.scales" or "x.biases"; a bias has only one array."""
    return name if part == "weight" else f"{name.removesuffix('weight')}{part}"


def row_order(rows: int, heads: int) -> NDArray[np.intp]:
    """Return the row of the file for each row of the model.

    llama.cpp stores row j of a head's first half at 2j, and row j of its second half at 2j + 1.
    """
    order = np.arange(rows)
    return order.reshape(heads, -1, 2).swapaxes(1, 2).reshape(-1) if heads else order


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
