"""Cost of measuring fidelity: time compared with a plain forward pass, memory, disk space, and error.

    python -m tests.benchmarks.fidelity [--chunks 8]

The starter model is compared with itself on Facet's corpus, in chunks of 512 tokens. A measurement and a plain pass
over the same tokens, with logits for all positions, alternate. The ratio of their median CPU times is reported, because
other work on the computer affects it less, and that of wall times in addition. Memory is MLX's peak minus the model's
size, while predictions are stored and compared, for a quarter of the text and for all of it. For several tail masses:
the size of the stored predictions compared with all log-probabilities in 16 bits, the number of stored tokens per
position, the mean KL of a 4-bit candidate with its error bound, and its true error. Goals: a ratio of at most 1.15 for
a candidate, and equal memory for both lengths.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.measure.results.messages import TAIL_MASS


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=8)
    chunks = parser.parse_args().chunks
    if "LD_PRELOAD" not in os.environ and "LD_PRELOAD" in worker_environment():
        # As in the worker processes: a faster matrix library on Linux.
        os.execve(sys.executable, [sys.executable, "-m", "tests.benchmarks.fidelity", *sys.argv[1:]], _environment())  # noqa: S606 - the same program
    bench = _Bench(chunks)
    bench.cost()
    bench.memory()
    bench.store()


def _environment() -> dict[str, str]:
    return {**os.environ, "LD_PRELOAD": worker_environment()["LD_PRELOAD"]}


class _Bench:
    """The starter model and its tokens."""

    def __init__(self, chunks: int) -> None:
        from mlx_engine.inference.layers import Layers  # noqa: PLC0415 - after LD_PRELOAD
        from mlx_engine.inference.load import open_model  # noqa: PLC0415
        from mlx_engine.measure.corpus.corpus import builtin_corpus  # noqa: PLC0415
        from mlx_engine.measure.corpus.rendered_corpus import render_corpus  # noqa: PLC0415
        from mlx_engine.measure.corpus.sample import tokenize  # noqa: PLC0415
        from mlx_engine.measure.results.convention import Convention  # noqa: PLC0415
        from tests.benchmarks.engine_benchmark import starter_model  # noqa: PLC0415

        model = open_model(starter_model())
        for _ in model.read_weights():
            pass
        self.network: Any = model.network
        self.layers = Layers(model.network)
        self.vocabulary = model.vocabulary_size
        self.convention = Convention()
        text = render_corpus(builtin_corpus(), model.tokenizer, self.convention, limit_tokens=chunks * 512)
        self.tokens = tokenize(text, model.tokenizer).tokens

    def cost(self) -> None:
        import mlx.core as mx  # noqa: PLC0415

        plain, predicting, comparing = [], [], []
        for tokens in self.tokens:
            chunk = self._predict(tokens)
            batch = mx.array(tokens)[None]
            plain.append(_seconds(lambda batch=batch: mx.eval(self.network(batch))))
            predicting.append(_seconds(lambda tokens=tokens: self._predict(tokens)))
            comparing.append(_seconds(lambda chunk=chunk: self._compare(self.network, chunk)))
        for name, series in (("storing predictions", predicting), ("comparing a candidate", comparing)):
            print(f"{name}: {_ratio(series, plain, 0):.3f} of a forward pass (wall: {_ratio(series, plain, 1):.3f})")

    def memory(self) -> None:
        import mlx.core as mx  # noqa: PLC0415

        few = max(1, len(self.tokens) // 4)
        for tokens in (self.tokens[:few], self.tokens):
            mx.clear_cache()
            model_bytes = mx.get_active_memory()
            mx.reset_peak_memory()
            chunks = [self._predict(chunk_tokens) for chunk_tokens in tokens]
            predicting = mx.get_peak_memory() - model_bytes
            mx.reset_peak_memory()
            for chunk in chunks:
                self._compare(self.network, chunk)
            peaks = (predicting, mx.get_peak_memory() - model_bytes)
            text = ", ".join(f"{peak / 1e6:.0f} MB" for peak in peaks)
            print(f"memory beyond the model's, {tokens.size:,} tokens: {text}")

    def store(self) -> None:
        import numpy as np  # noqa: PLC0415

        from mlx_engine.measure.results.fidelity import summarize  # noqa: PLC0415

        candidate, exact = self._candidate(), None
        for tail_mass in (0, 1e-2, 1e-3, 1e-4, 1e-5):
            chunks = [self._predict(tokens, tail_mass) for tokens in self.tokens[:4]]
            fidelity = summarize([self._compare(candidate, chunk) for chunk in chunks])
            exact = fidelity.mean_kl if exact is None else exact
            size = sum(4 * len(chunk.ids) + chunk.tail_ids.nbytes // 2 + chunk.tail_steps.nbytes for chunk in chunks)
            count = np.mean([chunk.counts.mean() for chunk in chunks])
            share = size / (2 * self.vocabulary * fidelity.positions)
            print(
                f"tail mass {tail_mass:g}: {share:.1%} of all logits, {count:,.0f} tokens per position, "
                f"KL {fidelity.mean_kl:.6f}, error below {fidelity.kl_error_bound:.1e}, "
                f"true error {fidelity.mean_kl - exact:+.1e}"
            )

    def _predict(self, tokens: Any, tail_mass: float = TAIL_MASS) -> Any:
        from mlx_engine.measure.mlx.reference import predict_chunk  # noqa: PLC0415

        return predict_chunk(self.network, tokens, self.convention, tail_mass, cache=self.layers.make(16))

    def _compare(self, network: Any, chunk: Any) -> Any:
        from mlx_engine.measure.mlx.comparison import compare  # noqa: PLC0415

        return compare(network, chunk, self.convention, cache=self.layers.make(16))

    def _candidate(self) -> Any:
        """Return the starter model in 4 bits."""
        import mlx.core as mx  # noqa: PLC0415
        from mlx import nn  # noqa: PLC0415
        from mlx_lm.utils import dequantize_model  # noqa: PLC0415

        from mlx_engine.inference.load import open_model  # noqa: PLC0415
        from tests.benchmarks.engine_benchmark import starter_model  # noqa: PLC0415

        network: Any = open_model(starter_model()).network
        nn.quantize(network, group_size=64, bits=4)
        network = dequantize_model(network)
        mx.eval(network.parameters())
        return network


def _seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU time and the wall time of `run`."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def _ratio(series: Sequence[tuple[float, float]], plain: Sequence[tuple[float, float]], index: int) -> float:
    return statistics.median(times[index] for times in series) / statistics.median(times[index] for times in plain)


if __name__ == "__main__":
    main()
