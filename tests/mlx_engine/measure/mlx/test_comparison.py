"""Comparing a candidate with stored predictions, checked against the exact formula in float64."""

import math
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.perplexity import eval_ppl
from numpy.typing import NDArray

from mlx_engine.errors import NotComparable
from mlx_engine.inference.load import Model, open_model
from mlx_engine.measure.mlx.comparison import compare
from mlx_engine.measure.mlx.forward import log_sums
from mlx_engine.measure.mlx.reference import predict_chunk
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fidelity import summarize

_convention = Convention(chunk_tokens=64)


@pytest.fixture(scope="module")
def tokens(original: Model) -> NDArray[np.int32]:
    text = "The same sea washes every shore, and carries what it is given: rope, bottles, the oars of one boat. " * 3
    return np.array(original.tokenizer.encode(text)[:64], dtype=np.int32)


def _exact(model: Model, tokens: NDArray[np.int32]) -> NDArray[np.float64]:
    logits = np.array(model.network(mx.array(tokens)[None])[0, 32:-1]).astype(np.float64)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def _exact_kl(original: Model, quantized: Model, tokens: NDArray[np.int32]) -> NDArray[np.float64]:
    p, q = _exact(original, tokens), _exact(quantized, tokens)
    return (np.exp(p) * (p - q)).sum(axis=-1)


def test_the_whole_vocabulary_gives_the_exact_divergence(
    original: Model, quantized: Model, tokens: NDArray[np.int32]
) -> None:
    """Without a tail, only rounding to 16 bits makes a difference."""
    positions = compare(quantized.network, predict_chunk(original.network, tokens, _convention, 0), _convention)
    exact = _exact_kl(original, quantized, tokens)
    assert positions.kl.mean() == pytest.approx(exact.mean(), rel=1e-4)
    assert (np.abs(positions.kl - exact) <= positions.rounding + 1e-6).all()


@pytest.mark.parametrize("tail_mass", [0.1, 1e-2, 1e-4])
def test_the_true_divergence_is_within_the_error(
    original: Model, quantized: Model, tokens: NDArray[np.int32], tail_mass: float
) -> None:
    """Sampling the tail adds no more error than stated."""
    positions = compare(quantized.network, predict_chunk(original.network, tokens, _convention, tail_mass), _convention)
    error = np.abs(_exact_kl(original, quantized, tokens) - positions.kl)
    assert (error <= positions.rounding + 4 * positions.tail_se + 1e-6).all()
    assert positions.tail_se.mean() < 0.5 * tail_mass


@pytest.mark.parametrize("tail_mass", [0.1, 1e-4, 0])
def test_a_model_does_not_diverge_from_itself(original: Model, tokens: NDArray[np.int32], tail_mass: float) -> None:
    """Rounding of the stored predictions does not show."""
    positions = compare(original.network, predict_chunk(original.network, tokens, _convention, tail_mass), _convention)
    assert np.abs(positions.kl).max() < 1e-5
    assert positions.agrees.all()
    assert (positions.true_log_probability == positions.reference_true_log_probability).all()


def test_the_probability_of_the_true_token_is_exact(
    original: Model, quantized: Model, tokens: NDArray[np.int32]
) -> None:
    """Perplexity is computed from it, not from stored predictions."""
    positions = compare(quantized.network, predict_chunk(original.network, tokens, _convention, 0.1), _convention)
    exact = np.take_along_axis(_exact(quantized, tokens), tokens[33:, None], axis=-1)[:, 0]
    assert positions.true_log_probability == pytest.approx(exact, abs=1e-5)


def test_the_top_tokens_have_the_largest_logits(original: Model, quantized: Model, tokens: NDArray[np.int32]) -> None:
    """In order, for both models."""
    positions = compare(quantized.network, predict_chunk(original.network, tokens, _convention, 0.5), _convention)
    for ids, model in ((positions.top_ids, quantized), (positions.reference_top_ids, original)):
        assert (ids == np.argsort(-_exact(model, tokens), axis=-1)[:, :5]).all()


def _constant_network(rows: NDArray[np.float64]) -> Any:
    """Return a network whose logits are always `rows`."""
    return lambda inputs, cache=None: mx.array(rows.astype(np.float32))[None]


def _divergence(original: NDArray[np.float64], candidate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exact KL divergence over the second half of 64 tokens."""
    p, q = (rows[32:-1] - np.log(np.exp(rows[32:-1]).sum(axis=-1, keepdims=True)) for rows in (original, candidate))
    return (np.exp(p) * np.subtract(p, q, out=np.zeros_like(p), where=np.isfinite(p))).sum(axis=-1)


def test_a_token_that_no_sample_hits_is_within_the_error() -> None:
    """If the candidate forgot a rare token, the samples agree with each other but miss it."""
    tokens = np.arange(3, 67, dtype=np.int32)
    rows = np.random.default_rng(5).normal(0, 2, (64, 4096))
    rows[:, 7] += 14
    forgotten = rows.copy()
    np.put_along_axis(forgotten, np.argsort(-rows, axis=-1)[:, 300:301], -60, axis=-1)
    positions = compare(
        _constant_network(forgotten), predict_chunk(_constant_network(rows), tokens, _convention, 0.01), _convention
    )
    error = abs(positions.kl.astype(np.float64).mean() - _divergence(rows, forgotten).mean())
    assert error > positions.rounding.mean() + 4 * math.sqrt((positions.tail_se.astype(np.float64) ** 2).sum()) / 31
    assert error < summarize([positions]).kl_error_bound


def test_negative_estimates_are_kept(tokens: NDArray[np.int32]) -> None:
    """Sampling errors have both signs; clipping the negative ones would bias the mean."""
    random = np.random.default_rng(2)
    rows = random.normal(0, 2, (64, 4096))
    near = rows + random.normal(0, 0.01, rows.shape)
    runs = [
        compare(
            _constant_network(near),
            predict_chunk(_constant_network(rows), tokens + number, _convention, 0.1),
            _convention,
        ).kl
        for number in range(20)
    ]
    means = np.mean(runs, axis=1)
    assert np.min(runs) < 0
    assert abs(means.mean() - _divergence(rows, near).mean()) < 4 * means.std() / math.sqrt(len(runs))


@pytest.mark.parametrize("tail_mass", [0.01, 0])
def test_tokens_impossible_for_both_models_do_not_count(tokens: NDArray[np.int32], tail_mass: float) -> None:
    """Some networks, such as phi3small's, give minus infinity to unused ids."""
    rows = np.random.default_rng(3).normal(0, 2, (64, 1000))
    rows[:, ::10] = -np.inf
    positions = compare(
        _constant_network(rows * 0.9),
        predict_chunk(_constant_network(rows), tokens, _convention, tail_mass),
        _convention,
    )
    exact = _divergence(rows, np.where(np.isinf(rows), rows, rows * 0.9))
    assert (np.abs(positions.kl - exact) <= positions.rounding + 4 * positions.tail_se + 1e-6).all()


def test_ties_are_broken_by_the_lower_id(tokens: NDArray[np.int32]) -> None:
    """In 16 bits, the two most likely tokens often tie; both models follow the same rule."""
    rows = np.random.default_rng(4).integers(0, 4, (64, 1000)).astype(np.float64)
    positions = compare(
        _constant_network(rows), predict_chunk(_constant_network(rows), tokens, _convention, 0.01), _convention
    )
    first = np.argsort(-rows[32:-1], axis=-1, kind="stable")[:, :5]
    assert (positions.top_ids == first).all()
    assert (positions.reference_top_ids == first).all()


def test_a_smaller_vocabulary_is_rejected(original: Model, tokens: NDArray[np.int32]) -> None:
    """There is no probability to compare for the missing tokens."""

    def narrow(inputs: mx.array, cache: Any = None) -> mx.array:
        return original.network(inputs)[..., :100]

    with pytest.raises(NotComparable, match="smaller vocabulary"):
        compare(narrow, predict_chunk(original.network, tokens, _convention, 0), _convention)


def test_nan_predictions_are_an_error(original: Model, tokens: NDArray[np.int32]) -> None:
    """A damaged candidate must not have a divergence of NaN."""

    def damaged(inputs: mx.array, cache: Any = None) -> mx.array:
        return original.network(inputs) * mx.array(float("nan"))

    with pytest.raises(FloatingPointError, match="NaN"):
        compare(damaged, predict_chunk(original.network, tokens, _convention, 1e-4), _convention)


@pytest.mark.parametrize("vocabulary", [49_152, 151_936, 1000])
def test_the_sum_over_a_large_vocabulary_is_exact(vocabulary: int) -> None:
    """MLX's logsumexp has an error of 1e-4 on the CPU, as large as the loss of a good quantization."""
    rows = np.random.default_rng(1).normal(0, 3, (4, vocabulary)).astype(np.float32)
    exact = np.log(np.exp(rows.astype(np.float64)).sum(axis=-1))
    assert np.array(log_sums(mx.array(rows)))[:, 0] == pytest.approx(exact, abs=4e-6)


@pytest.mark.parametrize("architecture", ["qwen3", "gemma3", "lfm2", "mamba2"])
def test_every_architecture_gives_the_exact_divergence(tiny_models: Path, architecture: str) -> None:
    """Including sliding windows and recurrent states; each compared with a scaled copy of itself."""
    model = open_model(tiny_models / architecture)
    tokens = np.array(model.tokenizer.encode("Where the river bends, the old mill still stands. " * 8)[:64], np.int32)

    def scaled_network(inputs: mx.array, cache: Any = None) -> mx.array:
        return model.network(inputs, cache=cache) * 0.9

    positions = compare(scaled_network, predict_chunk(model.network, tokens, _convention, 1e-3), _convention)
    p = _exact(model, tokens)
    logits = 0.9 * p
    q = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    exact = (np.exp(p) * (p - q)).sum(axis=-1)
    assert (np.abs(positions.kl - exact) <= positions.rounding + 4 * positions.tail_se + 1e-6).all()


def test_all_positions_give_the_perplexity_of_mlx_lm(quantized: Model, original: Model) -> None:
    """On the same tokens, within float32 precision."""
    text = "The same sea washes every shore, and carries what it is given: rope, bottles, the oars of one boat. " * 9
    chunks = np.array(original.tokenizer.encode(text)[:192], np.int32).reshape(3, 64)
    convention = Convention(chunk_tokens=64, scored="all")
    fidelity = summarize(
        [
            compare(quantized.network, predict_chunk(original.network, chunk, convention, 0.01), convention)
            for chunk in chunks
        ]
    )
    perplexity, _ = eval_ppl(quantized.network, mx.array(chunks), batch_size=2)
    assert fidelity.perplexity == pytest.approx(perplexity, rel=1e-5)
