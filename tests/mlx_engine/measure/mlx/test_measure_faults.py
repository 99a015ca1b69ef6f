"""Behaviour of measuring models that are damaged, or unlike, and of doing it again."""

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
    asked = RecordReference(
        id=f"tiny/{model.name}",
        model=str(model),
        convention=_convention,
        limit_tokens=384,
        tail_mass=tail_mass,
        is_stand_in=is_stand_in,
    )
    *_, last = record_reference(asked, texts, root / "references", Fingerprints(root / "fingerprints.json"))
    return last.store.folder


def _result(model: Path, store: Path, root: Path) -> FidelityResult:
    *_, last = measure_fidelity(
        MeasureFidelity(id=f"tiny/{model.name}", model=str(model), reference_folder=str(store)), root
    )
    assert last.result
    return last.result


def _changed(model: Path, target: Path, change: Callable[[_Weights], None], **config: object) -> Path:
    """Copy a model with other weights, its output layer apart from its embeddings."""
    shutil.copytree(model, target)
    weights: Any = mx.load(str(target / "model.safetensors"))
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"] + 0
    change(weights)
    mx.save_safetensors(str(target / "model.safetensors"), weights, metadata={"format": "mlx"})
    old = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps({**old, "tie_word_embeddings": False, **config}))
    return target


def _spoiled(token: int, value: float) -> Callable[[_Weights], None]:
    """Let reading one token give no numbers."""

    def change(weights: _Weights) -> None:
        weights["model.embed_tokens.weight"][token] = value

    return change


@pytest.fixture
def late(original: Model, texts: Corpus) -> int:
    """A token that is in no chunk but the last ones."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens
    return next(int(token) for token in tokens[-1] if token not in tokens[:3])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_original_that_answers_no_numbers_is_named(
    tiny_models: Path, texts: Corpus, tmp_path: Path, late: int, value: float
) -> None:
    """Even if it does so only at some positions, after chunks that were good."""
    spoiled = _changed(tiny_models / "llama", tmp_path / "spoiled", _spoiled(late, value))
    with pytest.raises(EngineError, match="tiny/spoiled answers with what is no number"):
        _store(spoiled, texts, tmp_path)
    (store,) = (tmp_path / "references").iterdir()
    assert (store / "chunk-00000").exists()
    assert not ReferenceStore.open(store).is_whole


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_candidate_that_answers_no_numbers_is_named(
    tiny_models: Path, texts: Corpus, tmp_path: Path, late: int, value: float
) -> None:
    """No figure is kept of it."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    spoiled = _changed(tiny_models / "llama", tmp_path / "spoiled", _spoiled(late, value))
    with pytest.raises(EngineError, match="tiny/spoiled answers with what is no number"):
        _result(spoiled, store, tmp_path / "results")
    assert not list(all_fidelity(tmp_path / "results"))


def test_a_candidate_that_rules_out_what_the_original_may_say_is_told(
    original: Model, texts: Corpus, tiny_models: Path, tmp_path: Path
) -> None:
    """Its divergence is infinite, which no table can show."""
    chunk = ReferenceStore.open(_store(tiny_models / "llama", texts, tmp_path)).read(0)

    def ruling_out(inputs: mx.array, cache: Any = None) -> mx.array:
        return mx.where(mx.arange(384) == int(chunk.ids[0]), -mx.inf, original.network(inputs))

    with pytest.raises(FloatingPointError, match="infinite"):
        compare(ruling_out, chunk, _convention)


def _padded(weights: _Weights) -> None:
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[name] = mx.concatenate([weights[name], mx.zeros((16, 64))])
    # What was never trained is never said.
    weights["lm_head.weight"][384:] = -100 * weights["lm_head.weight"][:1]


def test_rows_that_pad_the_vocabulary_of_a_candidate_do_no_harm(
    tiny_models: Path, texts: Corpus, tmp_path: Path
) -> None:
    """The tokens are the same; what it gives to the others, it takes from these."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    padded = _changed(tiny_models / "llama", tmp_path / "padded", _padded, vocab_size=400)
    assert _result(padded, store, tmp_path / "results").fidelity.mean_kl >= 0


def test_tokens_that_a_candidate_lacks_are_told(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """If the original may say them: there is no divergence then."""
    padded = _changed(tiny_models / "llama", tmp_path / "padded", _padded, vocab_size=400)
    store = _store(padded, texts, tmp_path, tail_mass=0)
    with pytest.raises(NotComparable, match="smaller vocabulary"):
        _result(tiny_models / "llama", store, tmp_path / "results")


def test_a_tokenizer_that_goes_beyond_the_weights_is_told(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """MLX would read what lies behind them in memory."""

    def cut(weights: _Weights) -> None:
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            weights[name] = weights[name][:100]

    small = _changed(tiny_models / "llama", tmp_path / "small", cut, vocab_size=100)
    with pytest.raises(BrokenModel, match="weights for 100"):
        _store(small, texts, tmp_path)


def test_chunks_longer_than_the_context_are_refused(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """MLX would run them, and give figures of what the model was never trained for."""
    short = _changed(tiny_models / "llama", tmp_path / "short", lambda weights: None, max_position_embeddings=32)
    with pytest.raises(InvalidParameter, match="context of 32 tokens"):
        _store(short, texts, tmp_path)


def _without_tokenizer(model: Path) -> None:
    (model / "tokenizer.json").unlink()


def _with_other_tokens(model: Path) -> None:
    """Swap two tokens: as many as before, and others."""
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["e"] = vocabulary["e"], vocabulary["a"]
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))


def _with_another_template(model: Path) -> None:
    config = json.loads((model / "tokenizer_config.json").read_text())
    config["chat_template"] = config["chat_template"].replace("<|im_end|>", "<|im_end|> ")
    (model / "tokenizer_config.json").write_text(json.dumps(config))


def _cut_short(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (_without_tokenizer, BrokenModel, "tokenizer"),
        (_with_other_tokens, NotComparable, "other tokens"),
        (_with_another_template, NotComparable, "different chat template"),
        (_cut_short, BrokenModel, "."),
    ],
)
def test_a_candidate_that_is_not_like_its_original_is_refused(
    tiny_models: Path,
    texts: Corpus,
    tmp_path: Path,
    harm: Callable[[Path], None],
    error: type[Exception],
    words: str,
) -> None:
    """In a sentence, before it is run."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    candidate = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "candidate")
    harm(candidate)
    with pytest.raises(error, match=words):
        _result(candidate, store, tmp_path / "results")


def test_what_was_measured_is_not_measured_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """A command that was killed goes on with the candidate it was at; names are those of the new one."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    first = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    file = fidelity_folder(first, tmp_path / "results") / "result.json"
    written = file.stat().st_mtime_ns
    copy = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "copy")
    again = _result(copy, store, tmp_path / "results")
    assert (again.candidate, again.fidelity, again.created) == ("tiny/copy", first.fidelity, first.created)
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("name", ["result.json", "tokens.json", "positions.npz"])
def test_a_result_that_is_damaged_is_measured_again(
    tiny_models: Path, texts: Corpus, tmp_path: Path, name: str
) -> None:
    """Also one that has lost what was found token by token."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    first = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    file = fidelity_folder(first, tmp_path / "results") / name
    file.write_bytes(b"damaged")
    assert _result(tiny_models / "llama-4bit", store, tmp_path / "results").fidelity == first.fidelity
    assert file.read_bytes() != b"damaged"


def test_damaged_answers_are_told_and_answered_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Before the candidate is run; the figures are the same then."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    whole = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    (store / "chunk-00002").write_bytes(b"damaged")
    with pytest.raises(StorageError, match="Measure again"):
        _result(tiny_models / "llama-4bit", store, tmp_path / "others")
    assert _store(tiny_models / "llama", texts, tmp_path) == store
    assert _result(tiny_models / "llama-4bit", store, tmp_path / "others").fidelity == whole.fidelity


def test_answers_that_are_deleted_while_they_are_needed_are_told(
    tiny_models: Path, texts: Corpus, tmp_path: Path
) -> None:
    """No figure comes of what was read until then."""
    store = _store(tiny_models / "llama", texts, tmp_path)
    request = MeasureFidelity(id="tiny/4bit", model=str(tiny_models / "llama-4bit"), reference_folder=str(store))
    run = measure_fidelity(request, tmp_path / "results")
    next(run)
    shutil.rmtree(store)
    with pytest.raises(StorageError, match="not there any more"):
        list(run)
    assert not list(all_fidelity(tmp_path / "results"))


def _fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "other").open("wb", buffering=0) as other:
        while other.write(bytes(4096)):
            pass


def test_a_disk_that_fills_up_is_told_and_the_next_run_goes_on(
    tiny_models: Path, texts: Corpus, tiny_disk: Path, tmp_path: Path
) -> None:
    """What is needed is said; what was answered stays, nothing half written does, and the figures are the same."""
    asked = RecordReference(
        id="tiny/llama", model=str(tiny_models / "llama"), convention=_convention, limit_tokens=384, tail_mass=0.01
    )
    known = Fingerprints(tmp_path / "fingerprints.json")
    run = record_reference(asked, texts, tiny_disk / "references", known)
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
    elsewhere = _store(tiny_models / "llama", texts, tmp_path)
    found, expected = (
        _result(tiny_models / "llama-4bit", folder, root)
        for folder, root in ((store.folder, tiny_disk), (elsewhere, tmp_path))
    )
    assert found.fidelity == expected.fidelity


@pytest.mark.parametrize("is_stand_in", [False, True])
def test_an_original_too_large_is_told_with_the_sum(
    tiny_models: Path, texts: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stand_in: bool
) -> None:
    """And with a way out: 8 bits in its place, labelled; of those, that there is none."""
    small = Machine(memory_bytes=1_000_000, working_set_bytes=1_000_000, working_set_source="all", has_metal=False)
    monkeypatch.setattr(measuring, "this_machine", lambda: small)
    words = "Not even 8 bits" if is_stand_in else ": weights .*--stand-in.*lower bound"
    with pytest.raises(OutOfMemory, match=words):
        _store(tiny_models / "llama", texts, tmp_path, is_stand_in=is_stand_in)


def test_results_do_not_depend_on_the_order_of_the_chunks(original: Model, quantized: Model, texts: Corpus) -> None:
    """Each chunk is read for itself: its positions are the same to the last bit, whenever it is read."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens[:6]
    chunks = [predict_chunk(original.network, one, _convention, 0.01) for one in tokens]
    forward = [compare(quantized.network, chunk, _convention) for chunk in chunks]
    backward = [compare(quantized.network, chunk, _convention) for chunk in reversed(chunks)][::-1]
    for one, other in zip(forward, backward, strict=True):
        assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)
    sums = [msgspec.to_builtins(summarize(order)) for order in (forward, forward[::-1])]
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_a_chunk_reads_the_same_alone_and_beside_others(original: Model, texts: Corpus) -> None:
    """There are no batches; but if there were, their size would not change more than rounding does."""
    tokens = tokenize(
        render_corpus(texts, original.tokenizer, _convention, limit_tokens=384), original.tokenizer
    ).tokens[:3]
    together = np.array(original.network(mx.array(tokens)))
    for number, one in enumerate(tokens):
        alone = np.array(logits(original.network, one, _convention.first_scored))
        assert alone == pytest.approx(together[number, _convention.first_scored : -1], abs=1e-4)
