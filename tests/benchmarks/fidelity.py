"""What measuring fidelity costs: time beside a plain forward pass, memory above the model's, disk, and error bounds.

    python -m tests.benchmarks.fidelity [--chunks 8]

The starter model is held against itself, over Facet's own corpus in chunks of 512 tokens. A measured chunk and a plain
pass over the same tokens, which gives the logits of all positions, take turns, and the ratio of the median processor
times is told, since other work on the machine disturbs those less; that of wall times stands beside. Memory is MLX's
peak less the model's own, while answers are kept and while they are compared, for the corpus and for four times of it.
For each mass for which a sample may stand: the size of the kept answers beside all log-probabilities in 16 bits, how
many tokens are kept of a position, the mean divergence of a candidate in 4 bits with the bound of its error, and how
far it truly is from that of the whole vocabulary. Aims: at most 1.15 for a candidate, and the same memory for both
lengths.
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
        # As in the processes that measure: on Linux, a faster library for matrices.
        os.execve(sys.executable, [sys.executable, "-m", "tests.benchmarks.fidelity", *sys.argv[1:]], _environment())  # noqa: S606 - this very program
    bench = _Bench(chunks)
    bench.cost()
    bench.memory()
    bench.store()


def _environment() -> dict[str, str]:
    return {**os.environ, "LD_PRELOAD": worker_environment()["LD_PRELOAD"]}


class _Bench:
    """The starter model and what it reads."""

    def __init__(self, chunks: int) -> None:
        from mlx_engine.inference.layers import Layers  # noqa: PLC0415 - after LD_PRELOAD
        from mlx_engine.inference.load import open_model  # noqa: PLC0415
        from mlx_engine.measure.corpus.corpus import builtin_corpus  # noqa: PLC0415
        from mlx_engine.measure.corpus.rendered_corpus import render_corpus  # noqa: PLC0415
        from mlx_engine.measure.corpus.sample import tokenize  # noqa: PLC0415
        from mlx_engine.measure.results.convention import Convention  # noqa: PLC0415
        from tests.benchmarks.engine_figures import starter_model  # noqa: PLC0415

        model = open_model(starter_model())
        for _ in model.read_weights():
            pass
        self.network: Any = model.network
        self.layers = Layers(model.network)
        self.vocabulary = model.vocabulary_size
        self.convention = Convention()
        words = render_corpus(builtin_corpus(), model.tokenizer, self.convention, limit_tokens=chunks * 512)
        self.tokens = tokenize(words, model.tokenizer).tokens

    def cost(self) -> None:
        import mlx.core as mx  # noqa: PLC0415

        plain, kept, compared = [], [], []
        for tokens in self.tokens:
            chunk = self._answers(tokens)
            batch = mx.array(tokens)[None]
            plain.append(_seconds(lambda batch=batch: mx.eval(self.network(batch))))
            kept.append(_seconds(lambda tokens=tokens: self._answers(tokens)))
            compared.append(_seconds(lambda chunk=chunk: self._compare(self.network, chunk)))
        for name, series in (("keeping answers", kept), ("measuring a candidate", compared)):
            print(f"{name}: {_ratio(series, plain, 0):.3f} of a forward pass (wall: {_ratio(series, plain, 1):.3f})")

    def memory(self) -> None:
        import mlx.core as mx  # noqa: PLC0415

        few = max(1, len(self.tokens) // 4)
        for tokens in (self.tokens[:few], self.tokens):
            mx.clear_cache()
            own = mx.get_active_memory()
            mx.reset_peak_memory()
            chunks = [self._answers(one) for one in tokens]
            keeping = mx.get_peak_memory() - own
            mx.reset_peak_memory()
            for chunk in chunks:
                self._compare(self.network, chunk)
            peaks = (keeping, mx.get_peak_memory() - own)
            print(f"above the model's memory, {tokens.size:,} tokens: " + ", ".join(f"{p / 1e6:.0f} MB" for p in peaks))

    def store(self) -> None:
        import numpy as np  # noqa: PLC0415

        from mlx_engine.measure.results.fidelity import summarize  # noqa: PLC0415

        candidate, exact = self._candidate(), None
        for tail_mass in (0, 1e-2, 1e-3, 1e-4, 1e-5):
            chunks = [self._answers(tokens, tail_mass) for tokens in self.tokens[:4]]
            found = summarize([self._compare(candidate, chunk) for chunk in chunks])
            exact = found.mean_kl if exact is None else exact
            size = sum(4 * len(chunk.ids) + chunk.tail_ids.nbytes // 2 + chunk.tail_steps.nbytes for chunk in chunks)
            kept = np.mean([chunk.counts.mean() for chunk in chunks])
            share = size / (2 * self.vocabulary * found.positions)
            print(
                f"left to a sample {tail_mass:g}: {share:.1%} of all logits, {kept:,.0f} tokens a position, "
                f"KL {found.mean_kl:.6f}, error below {found.kl_error_bound:.1e}, in truth {found.mean_kl - exact:+.1e}"
            )

    def _answers(self, tokens: Any, tail_mass: float = TAIL_MASS) -> Any:
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
        from tests.benchmarks.engine_figures import starter_model  # noqa: PLC0415

        network: Any = open_model(starter_model()).network
        nn.quantize(network, group_size=64, bits=4)
        network = dequantize_model(network)
        mx.eval(network.parameters())
        return network


def _seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Return the processor time and the wall time of `run`."""
    busy, began = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - busy, time.perf_counter() - began


def _ratio(series: Sequence[tuple[float, float]], plain: Sequence[tuple[float, float]], which: int) -> float:
    return statistics.median(one[which] for one in series) / statistics.median(one[which] for one in plain)


if __name__ == "__main__":
    main()
