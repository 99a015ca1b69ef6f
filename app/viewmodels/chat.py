"""The conversation on the screen."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.domain.conversation import Conversation, Message
from app.domain.store import Store
from app.viewmodels.engine_bridge import EngineBridge
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.preferences import Preferences
from app.viewmodels.throughput import Throughput
from mlx_engine.protocol import Sampling

__all__ = ["ChatViewModel", "MessageItem", "Throughput"]


@dataclass(frozen=True, slots=True)
class MessageItem:
    """What one message widget shows: the message, ‹branch/branches› counted from 1, and `model_mark`: the name of
    the model that takes over from this message on, or nothing.
    """

    message: Message
    branch: int = 1
    branches: int = 1
    model_mark: str = ""


class ChatViewModel(QObject):
    """One conversation and the way to talk in it; answers of others go on in the background."""

    opened = Signal()  # another conversation or another branch: read `items`
    item_added = Signal(object)  # MessageItem at the end
    item_changed = Signal(object)  # MessageItem with the id of a known one
    text_streamed = Signal(str, str, str)  # message id, "answer" or "thinking", text; at most 30 a second
    throughput_changed = Signal()
    busy_changed = Signal()
    model_changed = Signal()
    title_changed = Signal()
    parameters_changed = Signal()
    problem = Signal(str, str)  # title, message
    stored = Signal(object)  # Conversation, new or with new values: the list follows it
    answering_changed = Signal()  # read `answering`

    def __init__(
        self,
        store: Store,
        bridge: EngineBridge,
        library: ModelLibrary,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None: ...

    conversation: Conversation | None  # None until the first message of a new one
    items: list[MessageItem]
    busy: bool  # this conversation's answer is waiting, loading, reading or streaming
    throughput: Throughput
    model: str  # the library id of the model that answers next; "" when none is chosen
    title: str
    system_prompt: str
    sampling: Sampling
    think: bool
    can_send: bool  # a model is there and nothing is being answered here (blank text is refused by `send`)
    answering: frozenset[str]  # ids of the conversations with an unfinished answer

    def open(self, conversation_id: str | None) -> None: ...
    def new(self) -> None: ...
    def send(self, text: str) -> bool: ...  # False when refused: keep the text in the composer
    def stop(self) -> None: ...
    def regenerate(self, message_id: str) -> None: ...
    def edit(self, message_id: str, text: str) -> None: ...
    def switch_branch(self, message_id: str, delta: int) -> None: ...
    def set_model(self, model_id: str) -> None: ...
    def set_parameters(self, system_prompt: str, sampling: Sampling, think: bool) -> None: ...
    def rename(self, conversation_id: str, title: str) -> None: ...
    def delete(self, conversation_id: str) -> None: ...
    def restore(self, conversation_id: str) -> None: ...
    def close(self) -> None: ...  # the window closes: what is there of running answers is stored
