"""Measuring damaged or incomparable models, and resuming."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np
import pytest

from mlx_engine.errors import (
    BrokenModel,
    EngineError,
    InvalidParameter,
    NoSpace,
    NotComparable,
    OutOfMemory,
    StorageError,
)
from mlx_engine.inference.load import Model
from mlx_engine.measure.corpus.corpus import Corpus
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import tokenize
from mlx_engine.measure.mlx import measure as measuring
from mlx_engine.measure.mlx.comparison import compare
from mlx_engine.measure.mlx.forward import logits
from mlx_engine.measure.mlx.measure import measure_fidelity, record_reference
from mlx_engine.measure.mlx.reference import ReferenceStore, predict_chunk
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fidelity import summarize
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.messages import MeasureFidelity, RecordReference
from mlx_engine.measure.results.results import FidelityResult, all_fidelity, fidelity_folder
from mlx_engine.models.memory.machine import Machine

_convention = Convention(chunk_tokens=64)
_Weights = dict[str, Any]


def _store(model: Path, texts: Corpus, root: Path, *, tail_mass: float = 0.01, is_stand_in: bool = False) -> Path:
    request = RecordReference(
        id=f"tiny/{model.name}",
        model=str(model),
        convention=_convention,
        limit_tokens=384,
        tail_mass=tail_mass,
        is_stand_in=is_stand_in,
    )
    *_, last = record_reference(request, texts, root / "references", Fingerprints(root / "fingerprints.json"))
    return last.store.folder


def _result(model: Path, store: Path, root: Path) -> FidelityResult:
    *_, last = measure_fidelity(
        MeasureFidelity(id=f"tiny/{model.name}", model=str(model), reference_folder=str(store)), root
    )
    assert last.result
    return last.result


def _modified(model: Path, target: Path, change: Callable[[_Weights], None], **config: object) -> Path:
    """Copy a model, untie its output layer from the embeddings, and apply `change` to the weights."""
    shutil.copytree(model, target)
    weights: Any = mx.load(str(target / "model.safetensors"))
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"] + 0
    change(weights)
    mx.save_safetensors(str(target / "model.safetensors"), weights, metadata={"format": "mlx"})
    old = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps({**old, "tie_word_embeddings": False, **config}))
    return target


def _with_invalid_embedding(token: int, value: float) -> Callable[[_Weights], None]:
    """Return a change after which reading `token` gives invalid logits."""

    def change(weights: _Weights) -> None:
        weights["model.embed_tokens.weight"][token] = value

    return change


@pytest.fixture
def late_token(original: Model, texts: Corpus) -> int:
    """Return a token that only occurs in the last chunks."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens
    return next(int(token) for token in tokens[-1] if token not in tokens[:3])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_original_with_invalid_logits_is_reported(
    tiny_models: Path, texts: Corpus, tmp_path: Path, late_token: int, value: float
) -> None:
    """Even if only later chunks are affected."""
    spoiled = _modified(tiny_models / "llama", tmp_path / "spoiled", _with_invalid_embedding(late_token, value))
    with pytest.raises(EngineError, match="tiny/spoiled produces NaN or infinite logits"):
        _store(spoiled, texts, tmp_path)
    (store,) = (tmp_path / "references").iterdir()
    assert (store / "chunk-00000").exists()
    assert not ReferenceStore.open(store).is_complete


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_candidate_with_invalid_logits_is_reported(
    tiny_models: Path, texts: Corpus, tmp_path: Path, late_token: int, value: float
) -> None:
    """No result is saved."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    spoiled = _modified(tiny_models / "llama", tmp_path / "spoiled", _with_invalid_embedding(late_token, value))
    with pytest.raises(EngineError, match="tiny/spoiled produces NaN or infinite logits"):
        _result(spoiled, store, tmp_path / "results")
    assert not list(all_fidelity(tmp_path / "results"))


def test_an_infinite_divergence_is_reported(original: Model, texts: Corpus, tiny_models: Path, tmp_path: Path) -> None:
    """The candidate gives zero probability to a token that the original can predict."""
    chunk = ReferenceStore.open(_store(tiny_models / "llama", texts, tmp_path)).read(0)

    def network_without_token(inputs: mx.array, cache: Any = None) -> mx.array:
        return mx.where(mx.arange(384) == int(chunk.ids[0]), -mx.inf, original.network(inputs))

    with pytest.raises(FloatingPointError, match="infinite"):
        compare(network_without_token, chunk, _convention)


def _padded(weights: _Weights) -> None:
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = mx.concatenate([weights[name], mx.zeros((16, 64))])
    # Untrained tokens are never predicted.
    weights["lm_head.weight"][384:] = -100 * weights["lm_head.weight"][:1]


def test_a_padded_vocabulary_is_accepted(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The tokens are the same; probability of the padding is missing elsewhere."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    padded = _modified(tiny_models / "llama", tmp_path / "padded", _padded, vocab_size=400)
    assert _result(padded, store, tmp_path / "results").fidelity.mean_kl >= 0


def test_a_candidate_without_tokens_of_the_original_is_rejected(
    tiny_models: Path, texts: Corpus, tmp_path: Path
) -> None:
    """If the original can predict them, there is no divergence."""
    padded = _modified(tiny_models / "llama", tmp_path / "padded", _padded, vocab_size=400)
    store = _store(padded, texts, tmp_path, tail_mass=0)
    with pytest.raises(NotComparable, match="smaller vocabulary"):
        _result(tiny_models / "llama", store, tmp_path / "results")


def test_a_tokenizer_larger_than_the_weights_is_rejected(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """MLX would read out of bounds."""

    def cut(weights: _Weights) -> None:
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            weights[name] = weights[name][:100]

    small = _modified(tiny_models / "llama", tmp_path / "small", cut, vocab_size=100)
    with pytest.raises(BrokenModel, match="weights for only 100 tokens"):
        _store(small, texts, tmp_path)


def test_chunks_longer_than_the_context_are_rejected(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """MLX would run them, outside of the range that the model was trained for."""
    short = _modified(tiny_models / "llama", tmp_path / "short", lambda weights: None, max_position_embeddings=32)
    with pytest.raises(InvalidParameter, match="context length of 32 tokens"):
        _store(short, texts, tmp_path)


def _without_tokenizer(model: Path) -> None:
    (model / "tokenizer.json").unlink()


def _with_other_tokens(model: Path) -> None:
    """Swap two tokens, so that the vocabulary has the same size."""
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["e"] = vocabulary["e"], vocabulary["a"]
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))


def _with_another_template(model: Path) -> None:
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["chat_template"] = config["chat_template"].replace("<|im_end|>", "<|im_end|> ")
    (model / "tokenizer_config.json").write_text(json.dumps(config))


def _truncated(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without_tokenizer, BrokenModel, "tokenizer"),
        (_with_other_tokens, NotComparable, "other tokens"),
        (_with_another_template, NotComparable, "different chat template"),
        (_truncated, BrokenModel, "."),
    ],
)
def test_an_incomparable_candidate_is_rejected(
    tiny_models: Path,
    texts: Corpus,
    tmp_path: Path,
    damage: Callable[[Path], None],
    error: type[Exception],
    message: str,
) -> None:
    """Before it is run."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    candidate = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "candidate")
    damage(candidate)
    with pytest.raises(error, match=message):
        _result(candidate, store, tmp_path / "results")


def test_an_existing_result_is_reused(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It gets the requested name."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    first = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    file = fidelity_folder(first, tmp_path / "results") / "result.json"
    written = file.stat().st_mtime_ns
    copy = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "copy")
    again = _result(copy, store, tmp_path / "results")
    assert (again.candidate, again.fidelity, again.created) == ("tiny/copy", first.fidelity, first.created)
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("name", ["result.json", "tokens.json", "positions.npz"])
def test_a_damaged_result_is_measured_again(tiny_models: Path, texts: Corpus, tmp_path: Path, name: str) -> None:
    """Also if only its tokens are damaged."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    first = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    file = fidelity_folder(first, tmp_path / "results") / name
    file.write_bytes(b"damaged")
    assert _result(tiny_models / "llama-4bit", store, tmp_path / "results").fidelity == first.fidelity
    assert file.read_bytes() != b"damaged"


def test_a_damaged_reference_is_reported_and_recorded_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Before the candidate is run; the figures stay the same."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    undamaged = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    (store / "chunk-00002").write_bytes(b"damaged")
    with pytest.raises(StorageError, match="Measure again"):
        _result(tiny_models / "llama-4bit", store, tmp_path / "others")
    assert _store(tiny_models / "llama", texts, tmp_path) == store
    assert _result(tiny_models / "llama-4bit", store, tmp_path / "others").fidelity == undamaged.fidelity


def test_deleting_a_reference_in_use_is_reported(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """No result is saved."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    request = MeasureFidelity(id="tiny/4bit", model=str(tiny_models / "llama-4bit"), reference_folder=str(store))
    run = measure_fidelity(request, tmp_path / "results")
    next(run)
    shutil.rmtree(store)
    with pytest.raises(StorageError, match="missing or damaged"):
        list(run)
    assert not list(all_fidelity(tmp_path / "results"))


def _fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as other:
        while other.write(bytes(4096)):
            pass


def test_a_full_disk_is_reported_and_the_next_run_resumes(
    tiny_models: Path, texts: Corpus, tiny_disk: Path, tmp_path: Path
) -> None:
    """The message has the required space. No partial file stays, and the figures are the same."""
    request = RecordReference(
        id="tiny/llama", model=str(tiny_models / "llama"), convention=_convention, limit_tokens=384, tail_mass=0.01
    )
    fingerprints = Fingerprints(tmp_path / "fingerprints.json")
    run = record_reference(request, texts, tiny_disk / "references", fingerprints)
    store = [next(run).store for _ in range(3)][-1]
    _fill(tiny_disk)
    with pytest.raises(NoSpace, match=r"Not enough disk space for chunk-0000\d. Free up \d+ KB"):
        list(run)
    assert 2 <= len(list(store.folder.glob("chunk-*"))) < 6
    (tiny_disk / "other").unlink()
    _store(tiny_models / "llama", texts, tiny_disk)
    _fill(tiny_disk)
    with pytest.raises(NoSpace, match="Not enough disk space"):
        _result(tiny_models / "llama-4bit", store.folder, tiny_disk)
    assert not list(tiny_disk.rglob("*.partial"))
    (tiny_disk / "other").unlink()
    other_store = _store(tiny_models / "llama", texts, tmp_path)
    resumed, expected = (
        _result(tiny_models / "llama-4bit", folder, root)
        for folder, root in ((store.folder, tiny_disk), (other_store, tmp_path))
    )
    assert resumed.fidelity == expected.fidelity


@pytest.mark.parametrize("is_stand_in", [False, True])
def test_an_original_that_is_too_large_is_rejected(
    tiny_models: Path, texts: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stand_in: bool
) -> None:
    """With the breakdown and advice: an 8-bit stand-in, or none if that is too large, too."""
    small = Machine(memory_bytes=1_000_000, working_set_bytes=1_000_000, working_set_source="all", has_metal=False)
    monkeypatch.setattr(measuring, "this_machine", lambda: small)
    message = "Even an 8-bit conversion" if is_stand_in else ": weights .*--stand-in.*lower bound"
    with pytest.raises(OutOfMemory, match=message):
        _store(tiny_models / "llama", texts, tmp_path, is_stand_in=is_stand_in)


def test_results_do_not_depend_on_the_order_of_the_chunks(original: Model, quantized: Model, texts: Corpus) -> None:
    """Chunks are independent: positions are bit-identical in any order."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens[:6]
    chunks = [predict_chunk(original.network, chunk, _convention, 0.01) for chunk in tokens]
    forward = [compare(quantized.network, chunk, _convention) for chunk in chunks]
    backward = [compare(quantized.network, chunk, _convention) for chunk in reversed(chunks)][::-1]
    for first, second in zip(forward, backward, strict=True):
        assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in first.__slots__)
    sums = [msgspec.to_builtins(summarize(order)) for order in (forward, forward[::-1])]
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_a_chunk_gives_the_same_logits_in_a_batch(original: Model, texts: Corpus) -> None:
    """Chunks are not batched, but the batch size would only change the rounding."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens[:3]
    batch = np.array(original.network(mx.array(tokens)))
    for number, chunk in enumerate(tokens):
        single = np.array(logits(original.network, chunk, _convention.first_scored))
        assert single == pytest.approx(batch[number, _convention.first_scored : -1], abs=1e-4)
