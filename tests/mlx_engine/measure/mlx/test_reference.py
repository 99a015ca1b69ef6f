"""Storing the predictions of a reference."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlx_engine.errors import StorageError
from mlx_engine.inference.load import Model
from mlx_engine.measure.corpus.corpus import Corpus
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import TokenSample, tokenize
from mlx_engine.measure.mlx.reference import STEP, ReferenceStore, predict_chunk, run_reference
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.header import FORMAT, ReferenceHeader

_convention = Convention(chunk_tokens=32)


@pytest.fixture
def sample(original: Model, texts: Corpus) -> TokenSample:
    return tokenize(render_corpus(texts, original.tokenizer, _convention, limit_tokens=96), original.tokenizer)


@pytest.fixture
def store(tmp_path: Path, original: Model, texts: Corpus, sample: TokenSample) -> ReferenceStore:
    header = ReferenceHeader(
        model="tiny",
        weights="0",
        corpus="texts",
        sample=sample.fingerprint,
        convention=_convention,
        kinds=sample.kinds,
        vocabulary=384,
        tail_mass=1e-4,
    )
    return ReferenceStore.create(
        tmp_path, header, render_corpus(texts, original.tokenizer, _convention, limit_tokens=96)
    )


def test_predictions_survive_the_disk(store: ReferenceStore, original: Model, sample: TokenSample) -> None:
    chunk = predict_chunk(original.network, sample.tokens[0], _convention, 1e-3)
    store.write(0, chunk)
    stored = store.read(0)
    for name in chunk.__slots__:
        assert (getattr(stored, name) == getattr(chunk, name)).all()


def test_the_tail_has_at_most_the_allowed_mass(original: Model, sample: TokenSample) -> None:
    """Each position stores as many tokens as necessary and no more."""
    chunk = predict_chunk(original.network, sample.tokens[0], _convention, 0.05)
    assert (chunk.tail_mass <= 0.05 + 1e-6).all()
    last_stored = np.exp(-STEP * chunk.steps[np.cumsum(chunk.counts) - 1])
    assert (chunk.tail_mass + last_stored > 0.05 - 1e-4).all()


def test_a_run_resumes_with_the_missing_chunks(store: ReferenceStore, original: Model, sample: TokenSample) -> None:
    run = run_reference(original.network, sample, store)
    assert next(run) == 1
    run.close()
    assert list(ReferenceStore.open(store.folder).missing) == [1, 2]
    assert list(run_reference(original.network, sample, store)) == [2, 3]
    assert store.is_complete


def test_an_incomplete_chunk_is_missing(store: ReferenceStore) -> None:
    """Partial files of a killed process do not count."""
    (store.folder / "chunk-00000.partial").write_bytes(b"half")
    assert 0 in store.missing


@pytest.mark.parametrize("offset", [0, 40, -1], ids=["checksum", "head", "numbers"])
def test_a_damaged_chunk_is_reported_by_number(
    store: ReferenceStore, original: Model, sample: TokenSample, offset: int
) -> None:
    """A single changed byte is detected anywhere."""
    store.write(1, predict_chunk(original.network, sample.tokens[1], _convention, 1e-3))
    file = store.folder / "chunk-00001"
    content = bytearray(file.read_bytes())
    content[offset] ^= 1
    file.write_bytes(content)
    with pytest.raises(StorageError, match="Chunk 2"):
        store.read(1)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _replace_by_dangling_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.with_name("nothing"))


def _replace_by_other_chunk(file: Path) -> None:
    file.write_bytes(file.with_name("chunk-00000").read_bytes())


@pytest.mark.parametrize("damage", [_truncate, _empty, Path.unlink, _replace_by_dangling_link, _replace_by_other_chunk])
def test_a_modified_chunk_is_recorded_again(
    store: ReferenceStore, original: Model, sample: TokenSample, damage: Callable[[Path], None]
) -> None:
    """No other chunk is."""
    assert list(run_reference(original.network, sample, store)) == [1, 2, 3]
    expected = store.read(1)
    damage(store.folder / "chunk-00001")
    assert list(store.missing) == [1]
    assert list(run_reference(original.network, sample, store)) == [3]
    assert all(np.array_equal(getattr(store.read(1), name), getattr(expected, name)) for name in expected.__slots__)


def test_a_folder_instead_of_a_chunk_is_reported(store: ReferenceStore, original: Model, sample: TokenSample) -> None:
    """Facet does not delete what it did not create."""
    list(run_reference(original.network, sample, store))
    _replace_by_folder(store.folder / "chunk-00001")
    with pytest.raises(StorageError, match="chunk-00001"):
        list(run_reference(original.network, sample, store))


def test_token_ids_above_16_bits_are_stored(store: ReferenceStore, original: Model, sample: TokenSample) -> None:
    """A network may have more rows than its tokenizer has tokens."""
    chunk = predict_chunk(original.network, sample.tokens[0], _convention, 1e-3)
    large = replace(chunk, ids=chunk.ids + 70_000)
    store.write(0, large)
    assert (store.read(0).ids == large.ids).all()


def test_a_deleted_store_is_reported(store: ReferenceStore) -> None:
    shutil.rmtree(store.folder)
    with pytest.raises(StorageError, match="were deleted"):
        ReferenceStore.open(store.folder)


_DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-10],
    "list": lambda content: b"[]",
    "other": lambda content: b'{"model": 3}',
    "deep": lambda content: b"[" * 100_000,
    "huge": lambda content: b'{"model": "' + b"x" * 10_000_000 + b'"}',
    "version": lambda content: content.replace(f'"format": {FORMAT}'.encode(), b'"format": 9'),
    "kinds": lambda content: content.replace(b'"prose"', b'"verse"', 1),
    "tail": lambda content: content.replace(b'"tail_mass": 0.0001', b'"tail_mass": 0.0002'),
    "convention": lambda content: content.replace(b'"chunk_tokens": 32', b'"chunk_tokens": 3'),
}


@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES)
def test_a_damaged_header_is_reported(store: ReferenceStore, damage: Callable[[bytes], bytes]) -> None:
    """Garbage, another version, or a changed value."""
    file = store.folder / "reference.json"
    changed = damage(file.read_bytes())
    assert changed != file.read_bytes()
    file.write_bytes(changed)
    with pytest.raises(StorageError, match="damaged or from another version"):
        ReferenceStore.open(store.folder)


@pytest.mark.parametrize("change", [(b"harbour", b"Harbour"), (b"{", b"")])
def test_a_modified_text_is_reported(store: ReferenceStore, change: tuple[bytes, bytes]) -> None:
    """Otherwise the candidate would be blamed for reading something else."""
    file = store.folder / "corpus.json"
    file.write_bytes(file.read_bytes().replace(*change, 1))
    with pytest.raises(StorageError, match="damaged"):
        assert ReferenceStore.open(store.folder).corpus
