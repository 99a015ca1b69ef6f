"""Behaviour of the kept answers."""

from pathlib import Path

import numpy as np
import pytest

from mlx_engine.errors import StorageError
from mlx_engine.inference.load import Model
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.corpus import Corpus
from mlx_engine.measure.header import FORMAT, Header
from mlx_engine.measure.reading import reading
from mlx_engine.measure.reference import STEP, ReferenceStore, answers, run_reference
from mlx_engine.measure.sample import Sample, sample

_convention = Convention(chunk_tokens=32)


@pytest.fixture
def read(original: Model, texts: Corpus) -> Sample:
    return sample(reading(texts, original.tokenizer, _convention, limit_tokens=96), original.tokenizer)


@pytest.fixture
def store(tmp_path: Path, original: Model, texts: Corpus, read: Sample) -> ReferenceStore:
    header = Header(
        model="tiny",
        weights="0",
        corpus="texts",
        sample=read.fingerprint,
        convention=_convention,
        kinds=read.kinds,
        vocabulary=384,
        tail_mass=1e-4,
    )
    return ReferenceStore.create(tmp_path, header, reading(texts, original.tokenizer, _convention, limit_tokens=96))


def test_answers_are_read_back_as_they_were(store: ReferenceStore, original: Model, read: Sample) -> None:
    """Nothing changes on the disk."""
    chunk = answers(original.network, read.tokens[0], _convention, 1e-3)
    store.write(0, chunk)
    back = store.read(0)
    for name in chunk.__slots__:
        assert (getattr(back, name) == getattr(chunk, name)).all()


def test_what_is_left_out_has_at_most_the_mass_that_was_allowed(original: Model, read: Sample) -> None:
    """Each position keeps as many tokens as that takes, and no more."""
    chunk = answers(original.network, read.tokens[0], _convention, 0.05)
    assert (chunk.tail_mass <= 0.05 + 1e-6).all()
    last_kept = np.exp(-STEP * chunk.steps[np.cumsum(chunk.counts) - 1])
    assert (chunk.tail_mass + last_kept > 0.05 - 1e-4).all()


def test_a_run_goes_on_with_the_chunks_that_are_missing(store: ReferenceStore, original: Model, read: Sample) -> None:
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


def test_a_damaged_chunk_is_told_by_its_number(store: ReferenceStore, original: Model, read: Sample) -> None:
    """One changed byte is found."""
    store.write(1, answers(original.network, read.tokens[1], _convention, 1e-3))
    file = store.folder / "chunk-00001"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(StorageError, match="Chunk 2"):
        store.read(1)


def test_answers_of_another_version_are_refused(store: ReferenceStore) -> None:
    """They are not misread."""
    file = store.folder / "reference.json"
    file.write_text(file.read_text().replace(f'"format": {FORMAT}', '"format": 9'))
    with pytest.raises(StorageError, match="version 9"):
        ReferenceStore.open(store.folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"model": 3}'])
def test_a_damaged_store_is_told_in_a_sentence(store: ReferenceStore, content: bytes) -> None:
    """It can be deleted, and measured again."""
    (store.folder / "reference.json").write_bytes(content)
    with pytest.raises(StorageError, match="Delete them"):
        ReferenceStore.open(store.folder)
