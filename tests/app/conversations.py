"""Factories of small conversations."""

from app.domain.conversation import Conversation, Message
from mlx_engine.protocol import Statistics
from mlx_engine.sampling import Sampling

STATISTICS = Statistics(
    prompt_tokens=12,
    cached_tokens=4,
    prefill_tokens_per_s=800.0,
    time_to_first_token_s=0.1,
    generated_tokens=3,
    decode_tokens_per_s=50.5,
    effective_tokens_per_s=40.0,
    peak_memory_bytes=1 << 30,
    context_tokens=15,
    finish_reason="stop",
)


def conversation(id: str = "c", title: str = "Whales", updated: float = 1.0, **values: object) -> Conversation:
    defaults = {
        "model": "o/m",
        "system_prompt": "",
        "sampling": Sampling(),
        "think": True,
        "leaf": None,
        "created": 1.0,
    }
    return Conversation(id=id, title=title, updated=updated, **defaults | values)


def message(id: str, parent: str | None = None, text: str = "Hello", **values: object) -> Message:
    return Message(
        id=id, parent=parent, role="user" if parent is None else "assistant", text=text, created=2.0, **values
    )
