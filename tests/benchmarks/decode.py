"""Compares the decode speed that the client sees with `mlx_lm.generate.generate_step` in a plain process.

    python -m tests.benchmarks.decode [--tokens 96] [--repetitions 7]

Same starter model, same prompt, greedy sampling; both processes run throughout and take turns. Goal: at least 0.97.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from mlx_engine.cli.session import Session
from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.protocol import ChatMessage, Delta
from tests.benchmarks.engine_benchmark import ask, interleaved_medians, open_session, starter_model

QUESTION = ChatMessage("user", "Tell me a long story about a river, with many details.")


def engine_rate(session: Session, tokens: int) -> float:
    """Return tokens per second between the first and the last delta of one answer."""
    deltas = [(at_s, event) for at_s, event in ask(session, [QUESTION], max_tokens=tokens) if isinstance(event, Delta)]
    (first_s, first), (last_s, last) = deltas[0], deltas[-1]
    return (last.generated_tokens - first.generated_tokens) / (last_s - first_s)


class PlainProcess:
    """A child process that runs `generate_step` once for each line of its input."""

    def __init__(self, model: Path, tokens: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.decode", "--plain", str(model), "--tokens", str(tokens)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=worker_environment(),
        )
        self.rate()

    def rate(self) -> float:
        """Return tokens per second between the first and the last token of one run."""
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write("go\n")
        self._child.stdin.flush()
        return float(json.loads(self._child.stdout.readline()))

    def close(self) -> None:
        self._child.communicate()


def run_plain_process(model_path: Path, tokens: int) -> None:
    """Run the plain process. It loads the weights like the engine, in the same number format."""
    import mlx.core as mx  # noqa: PLC0415 - in the child only
    from mlx_lm.generate import generate_step  # noqa: PLC0415

    from mlx_engine.inference.load import open_model  # noqa: PLC0415

    model = open_model(model_path)
    for _ in model.read_weights():
        pass
    messages = [{"role": QUESTION.role, "content": QUESTION.content}]
    prompt = mx.array(model.tokenizer.apply_chat_template(messages, add_generation_prompt=True))
    for _ in sys.stdin:
        times = [time.perf_counter() for _ in generate_step(prompt, model.network, max_tokens=tokens)]
        print((len(times) - 1) / (times[-1] - times[0]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plain:
        run_plain_process(options.plain, options.tokens)
        return
    model = starter_model()
    plain = PlainProcess(model, options.tokens)
    with open_session(model) as session:
        rates = interleaved_medians(
            {"engine": lambda: engine_rate(session, options.tokens), "generate_step": plain.rate}, options.repetitions
        )
    plain.close()
    print(f"decode, {options.tokens} tokens, median of {options.repetitions}:")
    print(f"  engine, seen by the client      {rates['engine']:8.1f} tok/s")
    print(f"  generate_step in a plain process{rates['generate_step']:8.1f} tok/s")
    print(f"  ratio                           {rates['engine'] / rates['generate_step']:8.3f}   (goal: 0.97 or more)")


if __name__ == "__main__":
    main()
