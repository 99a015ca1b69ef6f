"""Behaviour of measuring whole models."""

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


def _keeping(model: Path, texts: Corpus, root: Path, *, limit_tokens: int = 192) -> Iterator[ReferenceUpdate]:
    asked = RecordReference(
        id=f"tiny/{model.name}", model=str(model), convention=_convention, limit_tokens=limit_tokens, tail_mass=1e-4
    )
    return record_reference(asked, texts, root, Fingerprints(root.parent / "fingerprints.json"))


def _store(model: Path, texts: Corpus, root: Path) -> ReferenceStore:
    *_, last = _keeping(model, texts, root)
    return last.store


def _measuring(model: Path, store: ReferenceStore, root: Path, cache_bits: CacheBits = 16) -> Iterator[FidelityUpdate]:
    asked = MeasureFidelity(
        id=f"tiny/{model.name}", model=str(model), reference_folder=str(store.folder), cache_bits=cache_bits
    )
    return measure_fidelity(asked, root)


def _result(model: Path, store: ReferenceStore, root: Path, cache_bits: CacheBits = 16) -> FidelityResult:
    *_, last = _measuring(model, store, root, cache_bits)
    assert last.result is not None
    return last.result


def test_a_quantization_is_measured_against_kept_answers(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The result is kept, split by kind, with the worst positions in words."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    assert result.fidelity.mean_kl > 0.01
    assert set(result.by_kind) == {"prose", "code", "talk"}
    assert len(result.worst) == 20
    assert result.worst[0].before
    assert list(all_fidelity(tmp_path / "results")) == [result]


def test_the_original_is_not_needed_once_its_answers_are_kept(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """It may be deleted; the candidate is measured all the same."""
    copy = shutil.copytree(tiny_models / "llama", tmp_path / "original")
    store = _store(copy, texts, tmp_path / "references")
    shutil.rmtree(copy)
    reopened = ReferenceStore.open(store.folder)
    assert _result(tiny_models / "llama-4bit", reopened, tmp_path / "results").fidelity.mean_kl > 0


def test_answers_that_are_kept_are_not_made_again(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """A second run says at once that all is there."""
    _store(tiny_models / "llama", texts, tmp_path)
    again = _keeping(tiny_models / "llama", texts, tmp_path)
    assert [(progress.done, progress.total) for progress in again] == [(3, 3)]


def test_an_interrupted_run_goes_on(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """What was answered before stays, and the result is the same as without the interruption."""
    run = _keeping(tiny_models / "llama", texts, tmp_path / "a")
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
    run = _keeping(tiny_models / "llama", texts, tmp_path)
    store = next(run).store
    run.close()
    with pytest.raises(StorageError, match="not complete"):
        next(_measuring(tiny_models / "llama-4bit", store, tmp_path / "results"))


def test_a_model_of_another_family_is_refused(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Nothing is kept of it."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    with pytest.raises(NotComparable, match="tiny/gemma3 has a different chat template"):
        list(_measuring(tiny_models / "gemma3", store, tmp_path / "results"))
    assert not (tmp_path / "results").exists()


def test_the_precision_of_the_context_is_measured_too(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The original itself loses something with its keys and values in 4 bits, and less in 8."""
    store = _store(tiny_models / "llama-wide", texts, tmp_path / "references")
    precisions: tuple[CacheBits, ...] = (16, 8, 4)
    results = [_result(tiny_models / "llama-wide", store, tmp_path / "results", bits) for bits in precisions]
    losses = [result.fidelity.mean_kl for result in results]
    assert losses[0] < 1e-5 < losses[1] < losses[2]
    assert len(list(all_fidelity(tmp_path / "results"))) == 3


def _perplexity_of_a_chat(model: Path, tokens: list[int], bits: CacheBits) -> float:
    """Return the perplexity of the second half of `tokens`, read one by one, as they would be generated."""
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
    """In one piece or token by token: windows, shared keys, and keys in few bits, each token's own too."""
    model = tiny_models / architecture
    *_, kept = _keeping(model, texts, tmp_path / "references", limit_tokens=64)
    found = _result(model, kept.store, tmp_path / "results", bits).fidelity
    tokens = kept.store.read(0).tokens.tolist()
    assert found.reference_perplexity == pytest.approx(_perplexity_of_a_chat(model, tokens, 16), rel=1e-5)
    assert found.perplexity == pytest.approx(_perplexity_of_a_chat(model, tokens, bits), rel=1e-5)


def test_a_broken_candidate_is_told(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The answers are none the worse."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    broken = shutil.copytree(tiny_models / "llama-4bit", tmp_path / "broken")
    shard = broken / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(BrokenModel):
        list(_measuring(broken, store, tmp_path / "results"))
    assert ReferenceStore.open(store.folder).is_whole


def test_a_result_is_called_as_the_model_was_asked_for(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Not as its folder happens to be called."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    assert (result.reference, result.candidate) == ("tiny/llama", "tiny/llama-4bit")


def test_the_results_of_a_folder_are_found_until_it_changes(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Without reading its weights; others have none."""
    root, folder = tmp_path / "results", shutil.copytree(tiny_models / "llama-4bit", tmp_path / "copy")
    result = _result(folder, _store(tiny_models / "llama", texts, tmp_path / "references"), root)
    assert fidelity_of(folder, root) == (result,)
    assert fidelity_of(tiny_models / "llama-4bit", root) == ()
    (folder / "config.json").write_text("{}")
    assert fidelity_of(folder, root) == ()


def test_what_was_found_is_shown_token_by_token(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """The text is whole, and each scored token has its divergence and both models' choices."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    folder = fidelity_folder(result, tmp_path / "results")
    read = [read_tokens(ReadTokens(id="t", result=str(folder), chunk=chunk)) for chunk in range(3)]
    assert [chunk.kind for chunk in read] == ["prose", "code", "talk"]
    assert texts.texts[0].text.startswith(read[0].before + "".join(token.text for token in read[0].tokens))
    assert max(token.kl for chunk in read for token in chunk.tokens) == pytest.approx(result.fidelity.max_kl)
    assert sum(token.differs for chunk in read for token in chunk.tokens) == result.fidelity.flips
    assert all(len(token.reference) == len(token.candidate) == 5 for token in read[1].tokens)
    losses = [-math.log(token.probability) for chunk in read for token in chunk.tokens]
    assert math.exp(sum(losses) / len(losses)) == pytest.approx(result.fidelity.perplexity, rel=1e-3)
    first = read[0].first_difference
    assert first is not None
    assert read[0].tokens[first].reference[0] != read[0].tokens[first].candidate[0]


def test_tokens_that_are_gone_are_told(tmp_path: Path) -> None:
    """The model can be measured again."""
    with pytest.raises(StorageError, match="Measure this model again"):
        read_tokens(ReadTokens(id="t", result=str(tmp_path)))


def _archive(**changed: Any) -> bytes:
    """Return positions of two chunks of two tokens, whole but for what is `changed`."""
    flat = {name: np.zeros((2, 2), np.float32) for name in Positions.__slots__}
    flat |= {name: np.zeros((2, 2, 5), np.float32) for name in Positions.__slots__ if "top" in name}
    file = io.BytesIO()
    np.savez(file, **(flat | changed))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK\x03\x04 cut off", b"no archive at all", b"\x80\x04N."),
        _archive(),
        _archive(kl=np.full((2, 2), np.nan, np.float32)),
        _archive(kl=np.array("not a number")),
        _archive(top_ids=np.zeros((2, 2), np.int32)),
        _archive(top_log_probabilities=np.full((2, 2, 5), "words")),
    ],
)
def test_tokens_that_are_damaged_are_told(content: bytes, tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Whatever the file has become; what could run as a program when it is read is not read."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    folder = fidelity_folder(_result(tiny_models / "llama-4bit", store, tmp_path / "results"), tmp_path / "results")
    (folder / "positions.npz").write_bytes(content)
    with pytest.raises(StorageError, match="Measure this model again"):
        read_tokens(ReadTokens(id="t", result=str(folder)))


def test_tokens_of_an_earlier_version_are_shown(tiny_models: Path, texts: Corpus, tmp_path: Path) -> None:
    """Which kept other bounds of error: the view of tokens does not tell them."""
    store = _store(tiny_models / "llama", texts, tmp_path / "references")
    folder = fidelity_folder(_result(tiny_models / "llama-4bit", store, tmp_path / "results"), tmp_path / "results")
    asked = ReadTokens(id="t", result=str(folder))
    now = read_tokens(asked)
    with np.load(folder / "positions.npz") as arrays:
        earlier = {name: arrays[name] for name in arrays.files if name != "unmet"}
    np.savez(folder / "positions.npz", **earlier)
    assert read_tokens(asked) == now


def test_all_of_a_typed_text_is_scored(tiny_models: Path, tmp_path: Path) -> None:
    """However short it is, and whatever the convention says; it is no result of the model's."""
    text = CorpusText("text", "text", "A language model reads a text, and says what comes next. Straße, 東京.")
    typed = Corpus(PASTED_TEXT, (text,))
    store = _store(tiny_models / "llama", typed, tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    read = read_tokens(ReadTokens(id="t", result=str(fidelity_folder(result, tmp_path / "results"))))
    assert read.before + "".join(token.text for token in read.tokens) == typed.texts[0].text
    assert result.fidelity.positions == len(read.tokens)
    assert fidelity_of(tiny_models / "llama-4bit", tmp_path / "results") == ()


def test_marks_of_the_chat_format_are_told_from_text(tiny_models: Path, tmp_path: Path) -> None:
    """By the tokenizer's word, not by how they look."""
    text = CorpusText("text", "text", "<|im_start|>user\nHow far is the Moon from here?<|im_end|>\n<|im_enc|>")
    store = _store(tiny_models / "llama", Corpus(PASTED_TEXT, (text,)), tmp_path / "references")
    result = _result(tiny_models / "llama-4bit", store, tmp_path / "results")
    read = read_tokens(ReadTokens(id="t", result=str(fidelity_folder(result, tmp_path / "results"))))
    assert [token.text for token in read.tokens if token.is_special] == ["<|im_end|>"]


def test_a_few_words_are_no_text(tiny_models: Path, tmp_path: Path) -> None:
    """The sentence says how many there must be."""
    with pytest.raises(BadCorpus, match="at least 16"):
        _store(tiny_models / "llama", Corpus(PASTED_TEXT, (CorpusText("text", "text", "Hi."),)), tmp_path)
