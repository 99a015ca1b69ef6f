"""Compares the time to first token of a second turn with that of an uncached prompt of the same length.

    python -m tests.benchmarks.first_token [--repetitions 3] [--history 200 2000]

The history is one message of about this many tokens. The warm second turn follows its first turn; the cold one has a
history that the engine has never seen.
"""

import argparse
from itertools import count

from mlx_engine.cli.session import Session
from mlx_engine.protocol import ChatMessage, Delta, Finished, Statistics
from tests.benchmarks.engine_benchmark import ask, interleaved_medians, open_session, random_text, starter_model

ANSWER_TOKENS = 8


class SecondTurn:
    """The second turn of a conversation with a history of a given length; each run has a new history."""

    def __init__(self, session: Session, history_tokens: int, seeds: "count[int]") -> None:
        self._session = session
        self._history_tokens = history_tokens
        self._seeds = seeds
        self.statistics: dict[str, Statistics] = {}

    def warm(self) -> float:
        """Return the seconds to the first token immediately after the first turn."""
        first = self._history()
        reply = "".join(
            event.text for _, event in ask(self._session, [first], max_tokens=ANSWER_TOKENS) if isinstance(event, Delta)
        )
        return self._measure("warm", first, reply)

    def cold(self) -> float:
        """Return the seconds to the first token when the whole prompt must be read."""
        return self._measure("cold", self._history(), "Once there was a river that sang.")

    def _measure(self, name: str, first: ChatMessage, reply: str) -> float:
        messages = [first, ChatMessage("assistant", reply), ChatMessage("user", "And what comes next?")]
        first_token_s = 0.0
        for at_s, event in ask(self._session, messages, max_tokens=ANSWER_TOKENS):
            if isinstance(event, Delta):
                first_token_s = first_token_s or at_s
            elif isinstance(event, Finished) and event.statistics:
                self.statistics[name] = event.statistics
        return first_token_s

    def _history(self) -> ChatMessage:
        return ChatMessage("user", random_text(self._history_tokens, next(self._seeds)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--history", type=int, nargs="+", default=[200, 2000])
    options = parser.parse_args()
    print(f"time to first token of a second turn, median of {options.repetitions}:")
    seeds = count()
    with open_session(starter_model()) as session:
        for history_tokens in options.history:
            turn = SecondTurn(session, history_tokens, seeds)
            seconds = interleaved_medians({"warm": turn.warm, "cold": turn.cold}, options.repetitions)
            warm = turn.statistics["warm"]
            print(
                f"  history of {history_tokens:,}: {seconds['warm'] * 1000:,.0f} ms with {warm.cached_tokens:,} of "
                f"{warm.prompt_tokens:,} tokens cached, {seconds['cold'] * 1000:,.0f} ms cold, "
                f"ratio {seconds['warm'] / seconds['cold']:.3f}"
            )


if __name__ == "__main__":
    main()
