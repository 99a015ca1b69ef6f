"""Compares the computation of `facet bench` with that of a chat: CPU time per generated token, in alternation.

    python -m tests.benchmarks.speed MODEL_FOLDER [--tokens 16] [--times 6]

CPU time is independent of other work on the computer. The chat answers the same message each time, whose tokens are
cached, so that decoding is nearly all of its work; this includes sampling, detokenization and events.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from mlx_engine.inference.generate import Generation
from mlx_engine.inference.load import open_model
from mlx_engine.measure.mlx.speed import Bench
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.protocol import ChatMessage, Generate
from mlx_engine.sampling import Sampling


def main() -> None:
    """Print the medians of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--times", type=int, default=6)
    options = parser.parse_args()
    model = open_model(options.model)
    for _ in model.read_weights():
        pass
    decode = Bench(model, SpeedPlan(decode_tokens=options.tokens)).decoding(0)
    generation = Generation(model)
    request = Generate(
        id="chat",
        messages=(ChatMessage("user", "Write a long story about the sea."),),
        sampling=Sampling(max_tokens=options.tokens + 1),
    )

    def chat() -> None:
        for _ in generation.answer(request, lambda: False):
            pass

    chat()
    pairs = [(_cpu_s(decode), _cpu_s(chat)) for _ in range(options.times)]
    bench_s, chat_s = (statistics.median(times) / (options.tokens + 1) for times in zip(*pairs, strict=True))
    print(f"{bench_s:.3f} s per token in facet bench, {chat_s:.3f} s in a chat: ratio {chat_s / bench_s:.3f}")


def _cpu_s(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


if __name__ == "__main__":
    main()
