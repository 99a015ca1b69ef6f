"""Behaviour of the kept answers."""

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
def read(original: Model, texts: Corpus) -> TokenSample:
    return tokenize(render_corpus(texts, original.tokenizer, _convention, limit_tokens=96), original.tokenizer)


@pytest.fixture
def store(tmp_path: Path, original: Model, texts: Corpus, read: TokenSample) -> ReferenceStore:
    header = ReferenceHeader(
        model="tiny",
        weights="0",
        corpus="texts",
        sample=read.fingerprint,
        convention=_convention,
        kinds=read.kinds,
        vocabulary=384,
        tail_mass=1e-4,
    )
    return ReferenceStore.create(
        tmp_path, header, render_corpus(texts, original.tokenizer, _convention, limit_tokens=96)
    )


def test_answers_are_read_back_as_they_were(store: ReferenceStore, original: Model, read: TokenSample) -> None:
    """Nothing changes on the disk."""
    chunk = predict_chunk(original.network, read.tokens[0], _convention, 1e-3)
    store.write(0, chunk)
    back = store.read(0)
    for name in chunk.__slots__:
        assert (getattr(back, name) == getattr(chunk, name)).all()


def test_what_is_left_out_has_at_most_the_mass_that_was_allowed(original: Model, read: TokenSample) -> None:
    """Each position keeps as many tokens as that takes, and no more."""
    chunk = predict_chunk(original.network, read.tokens[0], _convention, 0.05)
    assert (chunk.tail_mass <= 0.05 + 1e-6).all()
    last_kept = np.exp(-STEP * chunk.steps[np.cumsum(chunk.counts) - 1])
    assert (chunk.tail_mass + last_kept > 0.05 - 1e-4).all()


def test_a_run_goes_on_with_the_chunks_that_are_missing(
    store: ReferenceStore, original: Model, read: TokenSample
) -> None:
    """A run that was stopped has not been for nothing."""
    run = run_reference(original.network, read, store)
    assert next(run) == 1
    run.close()
    assert list(ReferenceStore.open(store.folder).missing) == [1, 2]
    assert list(run_reference(original.network, read, store)) == [2, 3]
    assert store.is_whole


def test_a_chunk_that_was_not_finished_is_missing(store: ReferenceStore) -> None:
    """What a killed process leaves does not count."""
    (store.folder / "chunk-00000.partial").write_bytes(b"half")
    assert 0 in store.missing


@pytest.mark.parametrize("place", [0, 40, -1], ids=["checksum", "head", "numbers"])
def test_a_damaged_chunk_is_told_by_its_number(
    store: ReferenceStore, original: Model, read: TokenSample, place: int
) -> None:
    """One changed byte is found, wherever it is."""
    store.write(1, predict_chunk(original.network, read.tokens[1], _convention, 1e-3))
    file = store.folder / "chunk-00001"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(StorageError, match="Chunk 2"):
        store.read(1)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _as_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _as_a_link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.with_name("nothing"))


def _as_another_chunk(file: Path) -> None:
    file.write_bytes(file.with_name("chunk-00000").read_bytes())


@pytest.mark.parametrize("harm", [_cut, _emptied, Path.unlink, _as_a_link_to_nothing, _as_another_chunk])
def test_what_is_not_as_it_was_written_is_answered_again(
    store: ReferenceStore, original: Model, read: TokenSample, harm: Callable[[Path], None]
) -> None:
    """And nothing else is."""
    assert list(run_reference(original.network, read, store)) == [1, 2, 3]
    whole = store.read(1)
    harm(store.folder / "chunk-00001")
    assert list(store.missing) == [1]
    assert list(run_reference(original.network, read, store)) == [3]
    assert all(np.array_equal(getattr(store.read(1), name), getattr(whole, name)) for name in whole.__slots__)


def test_a_folder_in_the_place_of_a_chunk_is_told(store: ReferenceStore, original: Model, read: TokenSample) -> None:
    """Facet does not remove what it has not made."""
    list(run_reference(original.network, read, store))
    _as_a_folder(store.folder / "chunk-00001")
    with pytest.raises(StorageError, match="chunk-00001"):
        list(run_reference(original.network, read, store))


def test_tokens_beyond_the_tokenizers_are_kept_as_they_are(
    store: ReferenceStore, original: Model, read: TokenSample
) -> None:
    """A network may have more rows than its tokenizer has tokens, and more than fit in 16 bits."""
    chunk = predict_chunk(original.network, read.tokens[0], _convention, 1e-3)
    beyond = replace(chunk, ids=chunk.ids + 70_000)
    store.write(0, beyond)
    assert (store.read(0).ids == beyond.ids).all()


def test_answers_that_were_deleted_are_told(store: ReferenceStore) -> None:
    """With what to do."""
    shutil.rmtree(store.folder)
    with pytest.raises(StorageError, match="not there any more"):
        ReferenceStore.open(store.folder)


_harms = {
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


@pytest.mark.parametrize("harm", _harms.values(), ids=_harms)
def test_a_damaged_store_is_told_in_a_sentence(store: ReferenceStore, harm: Callable[[bytes], bytes]) -> None:
    """Be it garbage, of another version, or a figure that has changed."""
    file = store.folder / "reference.json"
    changed = harm(file.read_bytes())
    assert changed != file.read_bytes()
    file.write_bytes(changed)
    with pytest.raises(StorageError, match="damaged, or another version"):
        ReferenceStore.open(store.folder)


@pytest.mark.parametrize("change", [(b"harbour", b"Harbour"), (b"{", b"")])
def test_a_text_that_has_changed_is_told(store: ReferenceStore, change: tuple[bytes, bytes]) -> None:
    """A candidate is not blamed for reading something else."""
    file = store.folder / "reading.json"
    file.write_bytes(file.read_bytes().replace(*change, 1))
    with pytest.raises(StorageError, match="damaged"):
        assert ReferenceStore.open(store.folder).reading
