"""The chunking and scoring of a text.

The default convention is llama.cpp's (`llama-perplexity`): tokens are read in independent chunks, and only the second
half of each is scored, so that every scored token has at least half a chunk of context. The alternative scores all
positions, as `mlx_lm.perplexity` does.
"""

from typing import Literal

import msgspec

from mlx_engine.errors import InvalidParameter

ScoredPositions = Literal["second half", "all"]

SMALL_TOKENS = 8192
"""Tokens of a corpus that the small setting reads."""

MIN_CHUNK_TOKENS = 16
MAX_CHUNK_TOKENS = 8192


class Convention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The length of chunks and the scored part of each.

    Raises:
        InvalidParameter: chunks are too short to leave enough context, or too long to keep their logits in memory.
    """

    chunk_tokens: int = 512
    scored: ScoredPositions = "second half"

    def __post_init__(self) -> None:
        if not MIN_CHUNK_TOKENS <= self.chunk_tokens <= MAX_CHUNK_TOKENS:
            raise InvalidParameter(
                f"Chunks must have between {MIN_CHUNK_TOKENS} and {MAX_CHUNK_TOKENS:,} tokens, not "
                f"{self.chunk_tokens:,}."
            )

    @property
    def first_scored(self) -> int:
        """The first position in a chunk whose next-token prediction is scored; scoring ends at the second to last."""
        return self.chunk_tokens // 2 if self.scored == "second half" else 0

    @property
    def scored_per_chunk(self) -> int:
        return self.chunk_tokens - 1 - self.first_scored

    @property
    def text(self) -> str:
        """Text such as "chunks of 512 tokens, the second half of each scored"."""
        part = "the second half of each scored" if self.scored == "second half" else "all positions scored"
        return f"chunks of {self.chunk_tokens} tokens, {part}"
