"""Behaviour of measuring whole models."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.errors import BadCorpus, BrokenModel
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.corpus import Corpus
from mlx_engine.measure.measuring import keep_answers, measure_fidelity
from mlx_engine.measure.reference import ReferenceStore
from mlx_engine.measure.results import FidelityResult, kept_fidelity

_usual: dict[str, Any] = {"convention": Convention(chunk_tokens=64), "limit_tokens": 192, "tail_mass": 1e-4}


def _store(model: Path, texts: Corpus, root: Path) -> ReferenceStore:
    *_, last = keep_answers(model, texts, root, **_usual)
    return last.store


def _result(candidate: Path, store: ReferenceStore, root: Path) -> FidelityResult:
    *_, last = measure_fidelity(candidate, store, root)
    assert last.result is not None
    return last.result


def test_a_quantization_is_measured_against_kept_answers(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The result is kept, split by kind, with the worst positions in words."""
    store = _store(tiny_models / "llama", texts, tmp_path / "answers")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    assert result.fidelity.mean_kl > 0.01
    assert set(result.by_kind) == {"prose", "code", "talk"}
    assert len(result.worst) == 20
    assert result.worst[0].before
    assert list(kept_fidelity(tmp_path / "results")) == [result]


def test_the_original_is_not_needed_once_its_answers_are_kept(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It may be deleted; the candidate is measured all the same."""
    copy = shutil.copytree(tiny_models / "llama", tmp_path / "original")
    store = _store(copy, texts, tmp_path / "answers")
    shutil.rmtree(copy)
    reopened = ReferenceStore.open(store.folder)
    assert _result(tiny_models / "llama-4bit", reopened, tmp_path / "results").fidelity.mean_kl > 0


def test_answers_that_are_kept_are_not_made_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """A second run says at once that all is there."""
    _store(tiny_models / "llama", texts, tmp_path)
    again = keep_answers(tiny_models / "llama", texts, tmp_path, **_usual)
    assert [(progress.done, progress.total) for progress in again] == [(3, 3)]


def test_an_interrupted_run_goes_on(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """What was answered before stays, and the result is the same as without the interruption."""
    run = keep_answers(tiny_models / "llama", texts, tmp_path / "a", **_usual)
    next(run)
    next(run)
    run.close()
    interrupted = _store(tiny_models / "llama", texts, tmp_path / "a")
    whole = _store(tiny_models / "llama", texts, tmp_path / "b")
    candidate = tiny_models / "llama-4bit"
    results = [_result(candidate, store, tmp_path / "results") for store in (interrupted, whole)]
    assert results[0].fidelity == results[1].fidelity


def test_a_candidate_is_not_held_against_half_the_answers(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It is told that measuring again goes on."""
    run = keep_answers(tiny_models / "llama", texts, tmp_path, **_usual)
    store = next(run).store
    run.close()
    with pytest.raises(BadCorpus, match="not complete"):
        next(measure_fidelity(tiny_models / "llama-4bit", store, tmp_path / "results"))


def test_a_model_of_another_family_is_refused(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Nothing is kept of it."""
    store = _store(tiny_models / "llama", texts, tmp_path / "answers")
    with pytest.raises(BadCorpus, match="gemma3 has another"):
        list(measure_fidelity(tiny_models / "gemma3", store, tmp_path / "results"))
    assert not (tmp_path / "results").exists()


def test_the_precision_of_the_context_is_measured_too(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The original itself loses something with its keys and values in 4 bits, and less in 8."""
    store = _store(tiny_models / "llama-wide", texts, tmp_path / "answers")
    losses = []
    for bits in (16, 8, 4):
        *_, last = measure_fidelity(tiny_models / "llama-wide", store, tmp_path / "results", cache_bits=bits)
        losses.append(last.so_far.mean_kl)
    assert losses[0] < 1e-5 < losses[1] < losses[2]
    assert len(list(kept_fidelity(tmp_path / "results"))) == 3


def test_a_broken_candidate_is_told(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The answers are none the worse."""
    store = _store(tiny_models / "llama", texts, tmp_path / "answers")
    broken = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "broken")
    shard = broken / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(BrokenModel):
        list(measure_fidelity(broken, store, tmp_path / "results"))
    assert ReferenceStore.open(store.folder).is_whole
