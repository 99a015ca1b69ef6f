"""Runs a tiny network of every architecture of the installed mlx-lm through Facet, and compares it with stock mlx-lm.

    python -m tests.benchmarks.architectures [NAME…]

Each network has random weights. The columns: its obstacle in the library; whether stock mlx-lm loads the folder;
whether a conversion to 4 bits opens; the largest difference of the conversion's logits from those of stock mlx-lm's own
conversion, in standard deviations of the logits; and the estimate of the KV cache ÷ its size after 301 tokens.
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
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.layer_cache import cache_bytes
from mlx_engine.networks.build import build
from mlx_engine.networks.load import load_network
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.recipes.builtin import recipe
from tests import cache_models, tiny_architectures

_stock: Any = stock  # has no types
_columns = "{:40} {:10} {:10} {:10} {:>10} {:>8}  {}"


def main() -> None:
    """Print one row for each architecture, and the reasons for those without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=cache_models.names())
    if "LD_PRELOAD" not in os.environ and "LD_PRELOAD" in worker_environment():
        command = [sys.executable, "-m", "tests.benchmarks.architectures", *sys.argv[1:]]
        os.execve(sys.executable, command, worker_environment())  # noqa: S606 - the same program, with a faster BLAS
    print(_columns.format("network", "described", "stock", "converted", "logits", "cache", "error"))
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
    expected = attempt(lambda: _logits(_stock_conversion(original)))
    converted = original.with_name("converted")
    network = attempt(lambda: _converted(original, converted))
    logits = attempt(lambda: _logits(network)) if network is not None else None
    ratio = attempt(lambda: _cache_ratio(network, model.cache)) if network is not None and model else None
    return (
        ("refused" if model.obstacle else "yes") if model else "no",
        "no" if expected is None else "yes",
        "no" if logits is None else "yes",
        "" if logits is None or expected is None else f"{_difference(logits, expected):.1e}",
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
    (folder / "tokenizer.json").write_text("{}")


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
