"""The current conversation and its actions. Everything on the screen is in the store."""

from collections.abc import Sequence
from dataclasses import replace
from time import time

from PySide6.QtCore import QObject, Qt, Signal

from app.domain.conversation import Conversation, Message, MessageTree, Role, replace_surrogates, title_from
from app.domain.store import Store
from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.answer import Answer, answer_to
from app.viewmodels.chat.answering import Answering
from app.viewmodels.chat.drafts import Drafts
from app.viewmodels.chat.instruments import Instruments
from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.chat.message_items import MessageItem, message_items
from app.viewmodels.chat.model_loading import ModelLoading
from app.viewmodels.chat.open_conversation import OpenConversation
from app.viewmodels.chat.parameters import Parameters
from app.viewmodels.chat.throughput import Throughput, of_message
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.protocol import new_id

_CHARACTERS_PER_TOKEN = 3
"""About 4 in English, fewer in other languages: enough to estimate the length of a long text."""

__all__ = ["ChatViewModel", "MessageItem", "Throughput"]


class ChatViewModel(QObject):
    """One conversation and its actions. Answers of other conversations continue in the background.

    A new conversation is a draft, which is not stored, until its first message.
    """

    opened = Signal()  # another conversation or another branch: read `items`
    item_added = Signal(object)  # MessageItem at the end
    item_changed = Signal(object)  # MessageItem with an existing id
    text_streamed = Signal(str, str, str)  # message id, "answer" or "thinking", text; at most 30 per second
    throughput_changed = Signal()  # at most 10 per second
    busy_changed = Signal()
    hangs_changed = Signal()
    model_changed = Signal()
    title_changed = Signal()
    problem = Signal(str, str)  # title, message
    stored = Signal(object)  # Conversation, new or with new values
    answering_changed = Signal()  # read `answering`
    accepted = Signal(str)  # text that `send` or `edit` had held back for a question, and that is sent now

    def __init__(
        self,
        store: Store,
        bridge: EngineBridge,
        library: ModelLibrary,
        preferences: Preferences,
        gate: LoadGate,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._library = library
        self._preferences = preferences
        self.gate = gate
        self._drafts = Drafts(library, preferences)
        self._open = OpenConversation(store, self._drafts.new(), self)
        self._answering = Answering(store, bridge, self)
        self.parameters = Parameters(self._open, self._drafts, library, self)
        self.loading = ModelLoading(gate, library, self._answering, self.parameters, choose=self.set_model, parent=self)
        self._instruments = Instruments(bridge, self)
        self._last = Throughput()
        self._busy = False
        self._answering.streamed.connect(self._stream)
        self._answering.ended.connect(self._show_final)
        self._answering.metered.connect(self._instruments.read_soon)
        self._answering.changed.connect(self._on_answers_changed)
        self._answering.problem.connect(self.problem)
        self._answering.hanging_changed.connect(self.hangs_changed)
        self._open.stored.connect(self.stored)
        self._open.title_changed.connect(self.title_changed)
        for source in (self._open, self.parameters):
            source.problem.connect(self.problem)
        self.parameters.memory_changed.connect(self._on_memory_changed)
        self._instruments.changed.connect(self.throughput_changed)
        library.renamed.connect(self.rename_model, Qt.ConnectionType.QueuedConnection)
        library.refreshed.connect(self._on_library_refreshed)
        preferences.changed.connect(self._on_preference_changed)
        self._on_preference_changed("idle_unload_minutes")

    @property
    def conversation(self) -> Conversation | None:
        """The conversation, or None while it is a draft."""
        return self._conversation if self._conversation.leaf else None

    @property
    def items(self) -> list[MessageItem]:
        """The items of the transcript, with the text of a streaming answer so far."""
        return list(message_items(self._tree, self._conversation.leaf, self._live))

    def last_message_id(self, role: Role) -> str:
        """Return the id of the last message with this role, or ""."""
        return next((item.message.id for item in reversed(self.items) if item.message.role == role), "")

    @property
    def busy(self) -> bool:
        """True while an answer of this conversation is waiting or streaming."""
        return self._busy

    @property
    def hangs(self) -> bool:
        """True if the answer was stopped and the model does not react; `end_model` ends it."""
        return self._answering.hangs(self._conversation.id)

    @property
    def can_send(self) -> bool:
        """True if `send` accepts a message."""
        return not self._busy and self._library.description(self.model) is not None

    @property
    def throughput(self) -> Throughput:
        return self._instruments.throughput

    @property
    def answering(self) -> frozenset[str]:
        """Ids of the conversations with a waiting or streaming answer."""
        return self._answering.conversations()

    @property
    def model(self) -> str:
        """Library id of the model that answers next, or ""."""
        return self._conversation.model

    @property
    def title(self) -> str:
        return self._conversation.title

    def open(self, conversation_id: str | None) -> None:
        """Open another conversation, or a new one for None."""
        if conversation_id is None:
            self.new()
        elif conversation_id != self._conversation.id and self._open.read(conversation_id):
            self._emit_conversation_changed()

    def new(self) -> None:
        """Open a new conversation with the default settings and the last chosen model."""
        self._open.set(self._drafts.new(), MessageTree())
        self._emit_conversation_changed()

    def send(self, text: str) -> bool:
        """Send a message at the end of the conversation. Return False if it was not accepted."""
        return self._send(text, self._conversation.leaf)

    def edit(self, message_id: str, text: str) -> bool:
        """Replace one of the user's messages, keeping the old one as a branch."""
        if message_id not in self._tree or self._tree[message_id].role != "user":
            return False
        return self._send(text, self._tree[message_id].parent)

    def regenerate(self, message_id: str) -> bool:
        """Answer a message again, keeping the old answer as a branch."""
        if message_id not in self._tree:
            return False
        message = self._tree[message_id]
        question = message if message.role == "user" else self._tree[message.parent or message_id]
        return self._request_answer(question, new=())

    def stop(self) -> None:
        """Stop the answer of this conversation; the text so far is kept."""
        self._answering.stop(self._conversation.id)

    def end_model(self) -> None:
        """Quit a model that does not stop; the text so far is kept."""
        self._answering.end_model(self._conversation.id)

    def switch_branch(self, message_id: str, delta: int) -> None:
        """Show the version `delta` steps after that of the message."""
        if message_id in self._tree:
            leaf = self._tree.switch(message_id, delta)
            if leaf != self._conversation.leaf and self._open.change(leaf=leaf):
                self._emit_opened()

    def set_model(self, model_id: str) -> None:
        """Choose the model that answers next; unknown and broken models are ignored."""
        if model_id == self.model or self._library.description(model_id) is None:
            return
        if self._open.change(**self._drafts.model_change(self._conversation, model_id)):
            self.gate.withdraw()
            self._preferences.set("last_model", model_id)
            self.model_changed.emit()
            self.parameters.changed.emit()
            self._update_instruments()

    def update_title(self, conversation: Conversation) -> None:
        """Apply a title that the list has stored."""
        if conversation.id == self._conversation.id and conversation.title != self.title:
            self._open.value = conversation
            self.title_changed.emit()

    def rename_model(self, old: str, new: str) -> None:
        """Replace the id of a model in all conversations, on the screen and in the settings."""
        if self._preferences.settings.last_model == old:
            self._preferences.set("last_model", new)
        if self._open.rename_model(old, new):
            self._emit_conversation_changed()

    def abandon(self, conversation_id: str) -> None:
        """Stop the answer of a deleted conversation, and open a new one if it was on the screen."""
        self._answering.abandon(conversation_id)
        if conversation_id == self._conversation.id:
            self.new()

    def close(self) -> None:
        """Store all answers as interrupted before the window closes."""
        self._answering.close()
        self._instruments.close()

    @property
    def _answer(self) -> Answer | None:
        return self._answering.of(self._conversation.id)

    @property
    def _live(self) -> Message | None:
        return self._answer.message if self._answer else None

    @property
    def _conversation(self) -> Conversation:
        return self._open.value

    @property
    def _tree(self) -> MessageTree:
        return self._open.tree

    def _emit_conversation_changed(self) -> None:
        """Emit the changes after another conversation was opened."""
        self.gate.withdraw()
        self._update_busy()
        self._emit_opened()
        for changed in (self.title_changed, self.model_changed, self.parameters.changed, self.hangs_changed):
            changed.emit()

    def _send(self, text: str, parent: str | None) -> bool:
        if not text.strip():
            return False
        message = Message(id=new_id(), parent=parent, role="user", text=replace_surrogates(text), created=time())
        return self._request_answer(message, new=(message,))

    def _request_answer(self, question: Message, new: Sequence[Message]) -> bool:
        """Queue an answer to `question`, after storing it if it is `new`. Return False if nothing has changed."""
        if self._busy:
            return False
        model = self._library.description(self.model)
        if model is None:
            self.problem.emit("No model selected", "Choose a model, then send the message again.")
            return False
        used_tokens = self._last.context_tokens + len(question.text) // _CHARACTERS_PER_TOKEN
        if not self.loading.admits(model, used_tokens, proceed=lambda _: self._resume(question, new)):
            return False
        path = [*self._tree.path(question.parent), question]
        answer = answer_to(path, self._conversation, model=model.path, cache_bits=self.parameters.cache_bits)
        is_continued = bool(new) and question.parent == self._conversation.leaf
        title = self.title or title_from(question.text)
        if not self._open.change((*new, answer.message), leaf=answer.id, title=title, updated=answer.message.created):
            return False
        if is_continued:
            self._emit_items_added(len(new) + 1)
        else:
            self._emit_opened()
        self._answering.ask(answer)
        return True

    def _resume(self, question: Message, new: Sequence[Message]) -> None:
        """Send a message that was held back for a question."""
        if self._request_answer(question, new) and new:
            self.accepted.emit(question.text)

    def _on_memory_changed(self) -> None:
        self.gate.withdraw()
        self._update_instruments()

    def _emit_opened(self) -> None:
        if self._answer:
            self._answer.drain()  # `items` has this text; it must not be emitted again
        answers = [message for message in self._tree.path(self._conversation.leaf) if message.role == "assistant"]
        self._last = of_message(answers[-1]) if answers else Throughput()
        self.opened.emit()
        self._update_instruments()

    def _emit_items_added(self, count: int) -> None:
        for item in self.items[-count:]:
            self.item_added.emit(item)

    def _stream(self, answer: Answer, kind: str, text: str) -> None:
        if answer.id == self._conversation.leaf:
            self.text_streamed.emit(answer.id, kind, text)

    def _show_final(self, answer: Answer, message: Message) -> None:
        """Show the final message of an answer, which is stored already."""
        if answer.id not in self._tree:
            return
        self._tree.replace(message)
        self._last = replace(of_message(message), history=answer.meter.throughput(0.0).history)
        for item in self.items:
            if item.message.id == message.id:
                self.item_changed.emit(item)

    def _on_answers_changed(self) -> None:
        self._update_busy()
        self._update_instruments()
        self.answering_changed.emit()

    def _update_busy(self) -> None:
        if (busy := self._answer is not None) != self._busy:
            self._busy = busy
            self.busy_changed.emit()

    def _on_library_refreshed(self) -> None:
        if self.conversation is None and self._library.description(self.model) is None:
            self._open.change(**self._drafts.model_change(self._conversation, self._drafts.new().model))
            self.parameters.changed.emit()
        self.model_changed.emit()
        self._update_instruments()

    def _on_preference_changed(self, name: str) -> None:
        if name == "idle_unload_minutes":
            self._bridge.set_idle_timeout(60 * self._preferences.settings.idle_unload_minutes)
        elif name in ("system_prompt", "sampling") and self.conversation is None:
            value = self._drafts.sampling(self.model) if name == "sampling" else self._preferences.get(name)
            self._open.change((), **{name: value})
            self.parameters.changed.emit()

    def _update_instruments(self) -> None:
        model = self._library.description(self.model)
        self._instruments.show(
            self._answer,
            self._last,
            model=model.path if model else None,
            context_length=model.context_length if model else 0,
            context_limit=self.parameters.context,
        )
