"""One answer in progress: collects the events of the engine. Knows neither Qt nor the database."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import time

from app.domain.conversation import Conversation, Message, MessageState, prompt
from app.viewmodels.chat.throughput import Meter
from mlx_engine.protocol import CacheBits, Delta, Finished, Generate, RequestFailed, SegmentKind, new_id


class Answer:
    """The answer of one conversation to `request`, by the model in the folder `model`.

    Message and request have the same id. `meter` has the live figures.
    """

    def __init__(self, conversation_id: str, message: Message, *, model: Path, request: Generate) -> None:
        self.conversation_id = conversation_id
        self.model = model
        self.request = request
        self.meter = Meter()
        self._message = message
        self._text: dict[SegmentKind, list[str]] = {"answer": [], "thinking": []}
        self._unshown: list[tuple[SegmentKind, str]] = []
        self._unsaved = False
        self._thinking_since: float | None = None

    @property
    def id(self) -> str:
        return self._message.id

    @property
    def message(self) -> Message:
        """The message with the text so far."""
        return replace(self._message, text="".join(self._text["answer"]), thinking="".join(self._text["thinking"]))

    def append(self, event: Delta, now: float) -> None:
        """Append text. Thinking lasts from its first token to its last, or to the start of the answer."""
        if not event.text:
            return
        if event.kind == "thinking" and self._thinking_since is None:
            self._thinking_since = now
        if self._thinking_since is not None and not self._text["answer"]:
            self._message = replace(self._message, thinking_s=now - self._thinking_since)
        self._text[event.kind].append(event.text)
        self._unshown.append((event.kind, event.text))
        self._unsaved = True

    def drain(self) -> list[tuple[SegmentKind, str]]:
        """Return the text since the last call, with consecutive pieces of the same kind joined."""
        joined: list[tuple[SegmentKind, list[str]]] = []
        for kind, text in self._unshown:
            if joined and joined[-1][0] == kind:
                joined[-1][1].append(text)
            else:
                joined.append((kind, [text]))
        self._unshown.clear()
        return [(kind, "".join(texts)) for kind, texts in joined]

    def checkpoint(self) -> Message | None:
        """Return the message if it has new text since the last call."""
        has_grown, self._unsaved = self._unsaved, False
        return self.message if has_grown else None

    def end(self, event: Finished | RequestFailed) -> Message:
        """Return the final message."""
        match event:
            case Finished(finish_reason="cancelled"):
                return replace(self.message, state=MessageState.STOPPED, statistics=event.statistics)
            case Finished():
                return replace(self.message, state=MessageState.COMPLETE, statistics=event.statistics)
            case RequestFailed():
                return replace(self.message, state=MessageState.FAILED, error=f"{event.title}. {event.message}")


def answer_to(
    path: Sequence[Message], conversation: Conversation, *, model: Path, cache_bits: CacheBits = 16
) -> Answer:
    """Return a new answer to the last message of `path`, by the model of the conversation, in the folder `model`.

    `cache_bits` are those of the conversation, or 16 if the model does not support fewer.
    """
    message = Message(
        id=new_id(),
        parent=path[-1].id,
        role="assistant",
        text="",
        model=conversation.model,
        state=MessageState.STREAMING,
        created=time(),
    )
    request = Generate(
        id=message.id,
        messages=prompt(path, conversation.system_prompt),
        sampling=conversation.sampling,
        think=conversation.think,
        context_limit=conversation.context,
        cache_bits=cache_bits,
    )
    return Answer(conversation.id, message, model=model, request=request)
