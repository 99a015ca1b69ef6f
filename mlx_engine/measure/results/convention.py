"""How the tokens of a text are read and scored: a value.

The usual convention is llama.cpp's (`llama-perplexity`): tokens are read in chunks, each for itself, and only the
second half of a chunk is scored, so that each scored token has at least half a chunk of context. The other one scores
all positions, as `mlx_lm.perplexity` does.
"""

from typing import Literal

import msgspec

from mlx_engine.errors import InvalidParameter

Scored = Literal["second half", "all"]

SMALL_TOKENS = 8192
"""How much of a corpus the small setting reads."""

LEAST_CHUNK = 16
"""Tokens."""


class Convention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How tokens are read: in chunks of so many, of which so much is scored.

    Raises:
        InvalidParameter: a chunk is too short to have a second half worth scoring, or too long to hold its logits.
    """

    chunk_tokens: int = 512
    scored: Scored = "second half"

    def __post_init__(self) -> None:
        if not LEAST_CHUNK <= self.chunk_tokens <= 8192:
            raise InvalidParameter(f"A chunk has from {LEAST_CHUNK} to 8,192 tokens, not {self.chunk_tokens:,}.")

    @property
    def first_scored(self) -> int:
        """The first position of a chunk whose prediction of the next token is scored; the last but one is the last."""
        return self.chunk_tokens // 2 if self.scored == "second half" else 0

    @property
    def scored_per_chunk(self) -> int:
        return self.chunk_tokens - 1 - self.first_scored

    @property
    def text(self) -> str:
        part = "the second half of each scored" if self.scored == "second half" else "all positions scored"
        return f"chunks of {self.chunk_tokens} tokens, {part}"
