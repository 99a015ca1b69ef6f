"""Measuring complete models."""

import io
import itertools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from mlx_engine.errors import BadCorpus, BrokenModel, NotComparable, StorageError
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import open_model
from mlx_engine.measure.corpus.corpus import Corpus, CorpusText
from mlx_engine.measure.mlx.measure import FidelityUpdate, ReferenceUpdate, measure_fidelity, record_reference
from mlx_engine.measure.mlx.reference import ReferenceStore
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.messages import MeasureFidelity, ReadTokens, RecordReference
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.results import PASTED_TEXT, FidelityResult, all_fidelity, fidelity_folder, fidelity_of
from mlx_engine.measure.study.tokens import read_tokens
from mlx_engine.protocol import CacheBits

_convention = Convention(chunk_tokens=64)


def _recording(model: Path, texts: Corpus, root: Path, *, limit_tokens: int = 192) -> Iterator[ReferenceUpdate]:
    request = RecordReference(
        id=f"tiny/{model.name}", model=str(model), convention=_convention, limit_tokens=limit_tokens, tail_mass=1e-4
    )
    return record_reference(request, texts, root, Fingerprints(root.parent / "fingerprints.json"))


def _store(model: Path, texts: Corpus, root: Path) -> ReferenceStore:
    *_, last = _recording(model, texts, root)
    return last.store


def _measuring(model: Path, store: ReferenceStore, root: Path, cache_bits: CacheBits = 16) -> Iterator[FidelityUpdate]:
    request = MeasureFidelity(
        id=f"tiny/{model.name}", model=str(model), reference_folder=str(store.folder), cache_bits=cache_bits
    )
    return measure_fidelity(request, root)


def _result(model: Path, store: ReferenceStore, root: Path, cache_bits: CacheBits = 16) -> FidelityResult:
    *_, last = _measuring(model, store, root, cache_bits)
    assert last.result is not None
    return last.result


def test_a_quantized_model_is_compared_with_a_reference(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The result is saved, split by kind, with the worst positions as text."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    assert result.fidelity.mean_kl > 0.01
    assert set(result.by_kind) == {"prose", "code", "talk"}
    assert len(result.worst) == 20
    assert result.worst[0].before
    assert list(all_fidelity(tmp_path / "results")) == [result]


def test_the_original_is_not_needed_after_recording(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It may be deleted."""
    copy = shutil.copytree(tiny_models / "llama", tmp_path / "original")
    store = _store(copy, texts, tmp_path / "references")
    shutil.rmtree(copy)
    reopened = ReferenceStore.open(store.folder)
    assert _result(tiny_models / "llama-4bit", reopened, tmp_path / "results").fidelity.mean_kl > 0


def test_an_existing_reference_is_not_recorded_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The first progress is complete."""
    _store(tiny_models / "llama", texts, tmp_path)
    again = _recording(tiny_models / "llama", texts, tmp_path)
    assert [(progress.done, progress.total) for progress in again] == [(3, 3)]


def test_an_interrupted_run_resumes(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The result is the same as without the interruption."""
    run = _recording(tiny_models / "llama", texts, tmp_path / "a")
    next(run)
    next(run)
    run.close()
    interrupted = _store(tiny_models / "llama", texts, tmp_path / "a")
    uninterrupted = _store(tiny_models / "llama", texts, tmp_path / "b")
    candidate = tiny_models / "llama-4bit"
    results = [_result(candidate, store, tmp_path / "results") for store in (interrupted, uninterrupted)]
    assert results[0].fidelity == results[1].fidelity


def test_an_incomplete_reference_is_rejected(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The message says that measuring again resumes."""
    run = _recording(tiny_models / "llama", texts, tmp_path)
    store = next(run).store
    run.close()
    with pytest.raises(StorageError, match="incomplete"):
        next(_measuring(tiny_models / "llama-4bit", store, tmp_path / "results"))


def test_a_model_of_another_family_is_rejected(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """No result is saved."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    with pytest.raises(NotComparable, match="tiny/gemma3 has a different chat template"):
        list(_measuring(tiny_models / "gemma3", store, tmp_path / "results"))
    assert not (tmp_path / "results").exists()


def test_a_quantized_kv_cache_is_measured_too(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The original itself has a loss with a 4-bit KV cache, and a smaller one with 8 bits."""
    store = _store(tiny_models / "llama-wide", texts, tmp_path / "references")
    precisions: tuple[CacheBits, ...] = (16, 8, 4)
    results = [_result(tiny_models / "llama-wide", store, tmp_path / "results", bits) for bits in precisions]
    losses = [result.fidelity.mean_kl for result in results]
    assert losses[0] < 1e-5 < losses[1] < losses[2]
    assert len(list(all_fidelity(tmp_path / "results"))) == 3


def _perplexity_of_a_chat(model: Path, tokens: list[int], bits: CacheBits) -> float:
    """Return the perplexity of the second half of `tokens`, read one at a time as in generation."""
    network = open_model(model).network
    cache, losses = Layers(network).make(bits), []
    for token, following in itertools.pairwise(tokens):
        logits = network(mx.array([[token]]), cache=cache)[0, 0]
        losses.append((mx.logsumexp(logits) - logits[following]).item())
    return math.exp(np.mean(losses[_convention.first_scored :]))


@pytest.mark.parametrize(
    ("architecture", "bits"), [("gemma3", 16), ("gemma3n", 16), ("llama-wide", 8), ("llama-wide", 4)]
)
def test_a_model_is_measured_as_it_chats(
    architecture: str, bits: CacheBits, tiny_models: Path, texts: Corpus, tmp_path: Path
) -> None:
    """At once or token by token, with sliding windows, shared keys and a quantized KV cache."""
    model = tiny_models / architecture
    *_, recorded = _recording(model, texts, tmp_path / "references", limit_tokens=64)
    fidelity = _result(model, recorded.store, tmp_path / "results", bits).fidelity
    tokens = recorded.store.read(0).tokens.tolist()
    assert fidelity.reference_perplexity == pytest.approx(_perplexity_of_a_chat(model, tokens, 16), rel=1e-5)
    assert fidelity.perplexity == pytest.approx(_perplexity_of_a_chat(model, tokens, bits), rel=1e-5)


def test_a_broken_candidate_is_reported(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The reference is not affected."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    broken = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "broken")
    shard = broken / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(BrokenModel):
        list(_measuring(broken, store, tmp_path / "results"))
    assert ReferenceStore.open(store.folder).is_complete


def test_a_result_has_the_requested_name(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Not that of the folder."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    assert (result.reference, result.candidate) == ("tiny/llama", "tiny/llama-4bit")


def test_the_results_of_a_folder_are_found_until_it_changes(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Without reading its weights."""
    root, folder = tmp_path / "results", shutil.copytree(tiny_models / "llama-4bit", tmp_path / "copy")
    result = _result(folder, _store(tiny_models / "llama", texts, tmp_path / "references"), root)
    assert fidelity_of(folder, root) == (result,)
    assert fidelity_of(tiny_models / "llama-4bit", root) == ()
    (folder / "config.json").write_text("{}")
    assert fidelity_of(folder, root) == ()


def test_the_comparison_is_read_token_by_token(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The text is complete, and every scored token has its divergence and both models' top tokens."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    folder = fidelity_folder(result, tmp_path / "results")
    chunks = [read_tokens(ReadTokens(id="t", result=str(folder), chunk=chunk)) for chunk in range(3)]
    assert [chunk.kind for chunk in chunks] == ["prose", "code", "talk"]
    assert texts.texts[0].text.startswith(chunks[0].before + "".join(token.text for token in chunks[0].tokens))
    assert max(token.kl for chunk in chunks for token in chunk.tokens) == pytest.approx(result.fidelity.max_kl)
    assert sum(token.differs for chunk in chunks for token in chunk.tokens) == result.fidelity.flips
    assert all(len(token.reference) == len(token.candidate) == 5 for token in chunks[1].tokens)
    losses = [-math.log(token.probability) for chunk in chunks for token in chunk.tokens]
    assert math.exp(sum(losses) / len(losses)) == pytest.approx(result.fidelity.perplexity, rel=1e-3)
    first = chunks[0].first_difference
    assert first is not None
    assert chunks[0].tokens[first].reference[0] != chunks[0].tokens[first].candidate[0]


def test_missing_tokens_are_reported(tmp_path: Path) -> None:
    """The model can be measured again."""
    with pytest.raises(StorageError, match="Measure this model again"):
        read_tokens(ReadTokens(id="t", result=str(tmp_path)))


def _archive(**changed: Any) -> bytes:
    """Return an archive of two chunks with two positions each, with the arrays in `changed` replaced."""
    arrays = {name: np.zeros((2, 2), np.float32) for name in Positions.__slots__}
    arrays |= {name: np.zeros((2, 2, 5), np.float32) for name in Positions.__slots__ if "top" in name}
    file = io.BytesIO()
    np.savez(file, **(arrays | changed))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK\x03\x04 truncated", b"not an archive", b"\x80\x04N."),
        _archive(),
        _archive(kl=np.full((2, 2), np.nan, np.float32)),
        _archive(kl=np.array("not a number")),
        _archive(top_ids=np.zeros((2, 2), np.int32)),
        _archive(top_log_probabilities=np.full((2, 2, 5), "words")),
    ],
)
def test_damaged_tokens_are_reported(content: bytes, tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Pickled objects, which could run code, are not loaded."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    folder = fidelity_folder(_result(tiny_models / "llama-4bit", store, tmp_path / "results"), tmp_path / "results")
    (folder / "positions.npz").write_bytes(content)
    with pytest.raises(StorageError, match="Measure this model again"):
        read_tokens(ReadTokens(id="t", result=str(folder)))


def test_tokens_of_an_earlier_version_are_read(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It had other error bounds, which the token view does not need."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    folder = fidelity_folder(_result(tiny_models / "llama-4bit", store, tmp_path / "results"), tmp_path / "results")
    request = ReadTokens(id="t", result=str(folder))
    current = read_tokens(request)
    with np.load(folder / "positions.npz") as arrays:
        earlier = {name: arrays[name] for name in arrays.files if name != "unmet"}
    np.savez(folder / "positions.npz", **earlier)
    assert read_tokens(request) == current


def test_all_of_a_pasted_text_is_scored(tiny_models: Path, tmp_path: Path) -> None:
    """However short, and regardless of the convention. It does not count as a result of the model."""
    text = CorpusText("text", "text", "A language model reads a text, and says what comes next. Straße, 東京.")
    pasted = Corpus(PASTED_TEXT, (text,))
    store = _store(tiny_models / "llama", pasted, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    read = read_tokens(ReadTokens(id="t", result=str(fidelity_folder(result, tmp_path / "results"))))
    assert read.before + "".join(token.text for token in read.tokens) == pasted.texts[0].text
    assert result.fidelity.positions == len(read.tokens)
    assert fidelity_of(tiny_models / "llama-4bit", tmp_path / "results") == ()


def test_special_tokens_are_marked(tiny_models: Path, tmp_path: Path) -> None:
    """As defined by the tokenizer, not by their appearance."""
    text = CorpusText("text", "text", "<|im_start|>user\nHow far is the Moon from here?<|im_end|>\n<|im_enc|>")
    store = _store(tiny_models / "llama", Corpus(PASTED_TEXT, (text,)), tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    read = read_tokens(ReadTokens(id="t", result=str(fidelity_folder(result, tmp_path / "results"))))
    assert [token.text for token in read.tokens if token.is_special] == ["<|im_end|>"]


def test_a_text_of_a_few_words_is_rejected(tiny_models: Path, tmp_path: Path) -> None:
    """The message has the minimum."""
    with pytest.raises(BadCorpus, match="at least 16"):
        _store(tiny_models / "llama", Corpus(PASTED_TEXT, (CorpusText("text", "text", "Hi."),)), tmp_path)
