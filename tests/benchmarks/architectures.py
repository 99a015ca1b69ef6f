"""Runs a tiny network of every architecture of the installed mlx-lm through Facet, and compares it with stock mlx-lm.

    python -m tests.benchmarks.architectures [NAME…]

Each network has random weights. The columns: its obstacle in the library; whether stock mlx-lm loads the folder;
whether a conversion to 4 bits opens; the largest difference of the conversion's logits from those of stock mlx-lm's own
conversion, in standard deviations of the logits; whether a chat with the conversion gives the tokens of stock mlx-lm;
the mean KL divergence that a measurement gives, ÷ that of stock mlx-lm's networks; and the estimate of the KV cache ÷
its size after 301 tokens.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx_lm.utils as stock
from mlx.utils import tree_flatten, tree_map
from mlx_lm.generate import generate_step
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.inference.generate import Generation
from mlx_engine.inference.load import open_model
from mlx_engine.inference.prompt import build_prompt, thinking_format
from mlx_engine.inference.segments import Segments
from mlx_engine.inference.tokenizer import load_tokenizer
from mlx_engine.measure.corpus.corpus import Corpus, CorpusText
from mlx_engine.measure.mlx.measure import measure_fidelity, record_reference
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.messages import MeasureFidelity, RecordReference
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.layer_cache import cache_bytes
from mlx_engine.networks.build import build
from mlx_engine.networks.load import load_network
from mlx_engine.protocol import ChatMessage, Delta, Generate
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.sampling import Sampling
from tests import cache_models, tiny_architectures
from tests.conformance.tokenizer import write_tokenizer

_stock: Any = stock  # has no types
_columns = "{:40} {:10} {:10} {:10} {:>10} {:>8} {:>8} {:>8}  {}"
_PROMPT, _ANSWER_TOKENS = "Once upon a time", 12
_CHUNK = 64
_TEXT = "A model reads this text, and writes the next word of each of its beginnings, one after the other. " * 2


def main() -> None:
    """Print one row for each architecture, and the reasons for those without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=cache_models.names())
    if "LD_PRELOAD" not in os.environ and "LD_PRELOAD" in worker_environment():
        command = [sys.executable, "-m", "tests.benchmarks.architectures", *sys.argv[1:]]
        os.execve(sys.executable, command, worker_environment())  # noqa: S606 - the same program, with a faster BLAS
    print(_columns.format("network", "described", "stock", "converted", "logits", "chat", "measure", "cache", "error"))
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            print(_columns.format(name, *_row(Path(folder) / "original", name)), flush=True)
    for name, reason in tiny_architectures.UNAVAILABLE.items():
        print(f"{name}: not built, {reason}")


def _row(original: Path, name: str) -> tuple[str, ...]:
    """Return the columns after the name."""
    errors: list[str] = []

    def attempt(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - any failure is a result of this comparison
            message = " ".join(str(getattr(error, "message", error)).split())
            errors.append(f"{type(error).__name__}: {message}"[:160])
            return None

    _write(original, tiny_architectures.configuration(name))
    model = attempt(lambda: describe(original, name))
    stock_network = attempt(lambda: _stock_conversion(original))
    expected = attempt(lambda: _logits(stock_network)) if stock_network is not None else None
    converted = original.with_name("converted")
    network = attempt(lambda: _converted(original, converted))
    logits = attempt(lambda: _logits(network)) if network is not None else None
    ratio = attempt(lambda: _cache_ratio(network, model.cache)) if network is not None and model else None
    answer = attempt(lambda: _answer(converted)) if logits is not None else None
    expected_answer = attempt(lambda: _stock_answer(stock_network, original)) if expected is not None else None
    divergence = attempt(lambda: _measured(original, converted)) if logits is not None else None
    expected_divergence = attempt(lambda: _divergence(original, stock_network)) if expected is not None else None
    return (
        ("refused" if model.obstacle else "yes") if model else "no",
        "no" if expected is None else "yes",
        "no" if logits is None else "yes",
        "" if logits is None or expected is None else f"{_difference(logits, expected):.1e}",
        "no"
        if answer is None
        else ""
        if expected_answer is None
        else "same"
        if answer == expected_answer
        else "differs",
        _quotient(divergence, expected_divergence),
        "" if ratio is None else f"{ratio:.3f}",
        "; ".join(dict.fromkeys(errors)),
    )


def _write(folder: Path, config: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    mx.random.seed(5)
    network = build(normalize(config))

    def spread(weight: mx.array) -> mx.array:
        if not mx.issubdtype(weight.dtype, mx.floating):
            return weight
        return (weight + 0.05 * mx.random.normal(weight.shape)).astype(mx.bfloat16)

    weights: Any = tree_flatten(tree_map(spread, network.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), dict(weights), {"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config | {"torch_dtype": "bfloat16"}))
    write_tokenizer(folder)


def _answer(folder: Path) -> str:
    """Return the answer of Facet's chat."""
    model = open_model(folder)
    for _ in model.read_weights():
        pass
    sampling = Sampling(temperature=0.0, max_tokens=_ANSWER_TOKENS)
    request = Generate(id="1", messages=(ChatMessage("user", _PROMPT),), sampling=sampling)
    events = list(Generation(model).answer(request, lambda: False))
    return "".join(event.text for event in events if isinstance(event, Delta))


def _stock_answer(network: Any, folder: Path) -> str:
    """Return the text of the tokens that stock mlx-lm generates for the same prompt."""
    tokenizer = load_tokenizer(folder, None)
    prompt = build_prompt(tokenizer, (ChatMessage("user", _PROMPT),), think=True, context_length=512)
    segments = Segments(tokenizer, thinking_format(tokenizer), opens_thinking=False, stop=prompt.stop)
    pieces = []
    for token, _ in generate_step(mx.array(prompt.tokens), network, max_tokens=_ANSWER_TOKENS):
        if token in tokenizer.eos_token_ids or segments.stopped:
            break
        pieces += segments.add(token)
    return "".join(text for _, text in pieces + segments.finish())


def _measured(original: Path, converted: Path) -> float:
    """Return the mean KL divergence that Facet measures over one chunk."""
    root, convention = original.parent, Convention(chunk_tokens=_CHUNK)
    corpus = Corpus("texts", (CorpusText("prose", "a", _TEXT),))
    recording = RecordReference(
        id="tiny/original", model=str(original), convention=convention, limit_tokens=_CHUNK, tail_mass=0.0
    )
    *_, recorded = record_reference(recording, corpus, root / "references", Fingerprints(root / "fingerprints.json"))
    measuring = MeasureFidelity(
        id="tiny/converted", model=str(converted), reference_folder=str(recorded.store.folder), cache_bits=16
    )
    *_, last = measure_fidelity(measuring, root / "results")
    assert last.result
    return last.result.fidelity.mean_kl


def _divergence(original: Path, conversion: Any) -> float:
    """Return the mean KL divergence of the second half of the same chunk, computed with stock mlx-lm's networks."""
    tokens = mx.array(load_tokenizer(original, None).encode(_TEXT)[:_CHUNK])[None]
    half = _CHUNK // 2
    logs = []
    for network in (_stock.load_model(original, lazy=True)[0], conversion):
        network.set_dtype(mx.float32)
        cache = make_prompt_cache(network)
        mx.eval(network(tokens[:, :half], cache=cache))
        logits = network(tokens[:, half:], cache=cache)[0, :-1].astype(mx.float32)
        logs.append(logits - mx.logsumexp(logits, axis=-1, keepdims=True))
    terms = mx.where(mx.isfinite(logs[0]), mx.exp(logs[0]) * (logs[0] - logs[1]), 0)
    return float(terms.sum(axis=-1).mean().item())


def _comparison(answer: str | None, expected: str | None) -> str:
    if answer is None or expected is None:
        return "no" if answer is None else ""
    return "same" if answer == expected else "differs"


def _quotient(actual: float | None, expected: float | None) -> str:
    if actual is None or expected is None:
        return "no" if actual is None else ""
    return f"{actual / expected:.3f}"


def _stock_conversion(original: Path) -> Any:
    network, config = _stock.load_model(original, lazy=True)
    with contextlib.redirect_stdout(io.StringIO()):  # It prints the bits.
        return _stock.quantize_model(network, config, group_size=32, bits=4)[0]


def _converted(original: Path, target: Path) -> Any:
    source = open_source(original)
    try:
        for _ in convert(source, target, recipe("4bit-g32")):
            pass
    finally:
        source.close()
    return load_network(target)[0]


def _logits(network: Any) -> mx.array:
    """Return the float32 logits of 100 tokens, more than the windows. Shape: [100, vocabulary]."""
    network.set_dtype(mx.float32)
    tokens = mx.array([[5 + 7 * index % 250 for index in range(100)]])
    logits: mx.array = network(tokens, cache=make_prompt_cache(network))[0].astype(mx.float32)
    mx.eval(logits)
    return logits


def _difference(logits: mx.array, expected: mx.array) -> float:
    finite = mx.isfinite(expected)
    gap = mx.where(finite, mx.abs(logits - expected), 0).max()
    return float(gap.item()) / float(mx.where(finite, expected, 0).std().item())


def _cache_ratio(network: Any, layout: Any) -> float:
    caches = make_prompt_cache(network)
    for tokens in (mx.arange(cache_models.TOKENS) % 50, mx.array([7])):
        mx.eval(network(tokens[None], cache=caches))
    return cache_bytes(layout, cache_models.TOKENS + 1, 4) / sum(cache.nbytes for cache in caches)


if __name__ == "__main__":
    main()
