"""What the throughput bar shows. Knows no clock: whoever feeds it says what time it is."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["idle", "waiting", "loading", "reading", "answering", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """The figures of one moment. Times are in seconds, sizes in bytes; what is not known yet is 0.

    `waiting`: another conversation is being answered first. `tokens_per_s` is that of the last second, of the decode
    while answering and of the prompt while reading; after the answer it is the decode rate of the whole. `history`
    holds the last 60 rates, 4 a second.
    """

    phase: Phase = "idle"
    done_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reread_reason: str = ""
    tokens_per_s: float = 0.0
    history: tuple[float, ...] = ()
    time_to_first_token_s: float = 0.0
    generated_tokens: int = 0
    load_done_bytes: int = 0
    load_total_bytes: int = 0
    engine_memory_bytes: int = 0
    machine_memory_bytes: int = 0
    context_tokens: int = 0
    context_length: int = 0
