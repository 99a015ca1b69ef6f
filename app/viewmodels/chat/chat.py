"""The conversation on the screen, and what a person can do in it. What is on the screen is what is in the store."""

from collections.abc import Sequence
from dataclasses import replace
from time import time

from PySide6.QtCore import QObject, Qt, Signal

from app.domain.conversation import Conversation, Message, MessageTree, Role, new_id, replace_surrogates, title_from
from app.domain.store import Store
from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.answer import Answer, answer_to
from app.viewmodels.chat.answering import Answering
from app.viewmodels.chat.drafts import Drafts
from app.viewmodels.chat.instruments import Instruments
from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.chat.message_items import MessageItem, items_of
from app.viewmodels.chat.model_loading import ModelLoading
from app.viewmodels.chat.open_conversation import OpenConversation
from app.viewmodels.chat.parameters import Parameters
from app.viewmodels.chat.throughput import Throughput, of_message
from app.viewmodels.library.library import ModelLibrary

_CHARACTERS_A_TOKEN = 3
"""About four in English and fewer elsewhere: enough to reckon whether a long text fits."""

__all__ = ["ChatViewModel", "MessageItem", "Throughput"]


class ChatViewModel(QObject):
    """One conversation and the way to talk in it; answers of others go on in the background.

    A new conversation is a draft, and not stored, until its first message.
    """

    opened = Signal()  # another conversation or another branch: read `items`
    item_added = Signal(object)  # MessageItem at the end
    item_changed = Signal(object)  # MessageItem with the id of a known one
    text_streamed = Signal(str, str, str)  # message id, "answer" or "thinking", text; at most 30 a second
    throughput_changed = Signal()  # at most 10 a second
    busy_changed = Signal()
    hangs_changed = Signal()
    model_changed = Signal()
    title_changed = Signal()
    problem = Signal(str, str)  # title, message
    stored = Signal(object)  # Conversation, new or with new values
    answering_changed = Signal()  # read `answering`
    taken = Signal(str)  # a text is said at last that `send` or `edit` had refused because of a question

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
        self._answering.ended.connect(self._settle)
        self._answering.metered.connect(self._instruments.read_soon)
        self._answering.changed.connect(self._follow_answers)
        self._answering.problem.connect(self.problem)
        self._answering.hanging_changed.connect(self.hangs_changed)
        self._open.stored.connect(self.stored)
        self._open.title_changed.connect(self.title_changed)
        for source in (self._open, self.parameters):
            source.problem.connect(self.problem)
        self.parameters.memory_changed.connect(self._follow_memory)
        self._instruments.changed.connect(self.throughput_changed)
        library.renamed.connect(self.rename_model, Qt.ConnectionType.QueuedConnection)
        library.refreshed.connect(self._follow_library)
        preferences.changed.connect(self._follow_preference)
        self._follow_preference("idle_unload_minutes")

    @property
    def conversation(self) -> Conversation | None:
        """The conversation, or None while it is a draft."""
        return self._conversation if self._conversation.leaf else None

    @property
    def items(self) -> list[MessageItem]:
        """What the transcript shows, the text that has arrived so far included."""
        return list(items_of(self._tree, self._conversation.leaf, self._live))

    def last_message_id(self, role: Role) -> str:
        """Return the id of the last message of `items` with that role, or "" if there is none."""
        return next((item.message.id for item in reversed(self.items) if item.message.role == role), "")

    @property
    def busy(self) -> bool:
        """Whether an answer of this conversation waits or is under way."""
        return self._busy

    @property
    def hangs(self) -> bool:
        """Whether this conversation's answer was stopped and its model does not listen; `end_model` helps."""
        return self._answering.hangs(self._conversation.id)

    @property
    def can_send(self) -> bool:
        """Whether `send` would take a text that is not blank."""
        return not self._busy and self._library.description(self.model) is not None

    @property
    def throughput(self) -> Throughput:
        return self._instruments.throughput

    @property
    def answering(self) -> frozenset[str]:
        """The ids of the conversations that have an answer under way."""
        return self._answering.conversations()

    @property
    def model(self) -> str:
        """The library id of the model that answers next; empty when there is none."""
        return self._conversation.model

    @property
    def title(self) -> str:
        return self._conversation.title

    def open(self, conversation_id: str | None) -> None:
        """Show another conversation; None begins a new one."""
        if conversation_id is None:
            self.new()
        elif conversation_id != self._conversation.id and self._open.read(conversation_id):
            self._tell_shown()

    def new(self) -> None:
        """Begin a new conversation with the defaults of the settings and the model chosen last."""
        self._open.put(self._drafts.new(), MessageTree())
        self._tell_shown()

    def send(self, text: str) -> bool:
        """Say something at the end of the conversation. False: it was refused, and nothing has changed."""
        return self._say(text, self._conversation.leaf)

    def edit(self, message_id: str, text: str) -> bool:
        """Say something instead of a message of one's own, which stays as another version of it."""
        if message_id not in self._tree or self._tree[message_id].role != "user":
            return False
        return self._say(text, self._tree[message_id].parent)

    def regenerate(self, message_id: str) -> bool:
        """Have a message answered once more; the old answer stays as another version of it."""
        if message_id not in self._tree:
            return False
        message = self._tree[message_id]
        question = message if message.role == "user" else self._tree[message.parent or message_id]
        return self._ask(question, said=())

    def stop(self) -> None:
        """Stop this conversation's answer; what is there of it stays."""
        self._answering.stop(self._conversation.id)

    def end_model(self) -> None:
        """End the model that does not stop; what is there of its answer stays."""
        self._answering.end_model(self._conversation.id)

    def switch_branch(self, message_id: str, delta: int) -> None:
        """Show the version `delta` places before or after that of the message."""
        if message_id in self._tree:
            leaf = self._tree.switch(message_id, delta)
            if leaf != self._conversation.leaf and self._open.change(leaf=leaf):
                self._tell_opened()

    def set_model(self, model_id: str) -> None:
        """Choose the model that answers from now on; unknown and broken ones are refused."""
        if model_id == self.model or self._library.description(model_id) is None:
            return
        if self._open.change(**self._drafts.changed_to(self._conversation, model_id)):
            self.gate.withdraw()
            self._preferences.set("last_model", model_id)
            self.model_changed.emit()
            self.parameters.changed.emit()
            self._measure()

    def adopt(self, conversation: Conversation) -> None:
        """Take over what the list has stored of a conversation: its new title."""
        if conversation.id == self._conversation.id and conversation.title != self.title:
            self._open.value = conversation
            self.title_changed.emit()

    def rename_model(self, old: str, new: str) -> None:
        """Call a model by its new id in all that was said, in what is on the screen, and in the next conversation."""
        if self._preferences.settings.last_model == old:
            self._preferences.set("last_model", new)
        if self._open.rename_model(old, new):
            self._tell_shown()

    def leave(self, conversation_id: str) -> None:
        """The conversation goes away: stop its answer, and show a new one in its place."""
        self._answering.abandon(conversation_id)
        if conversation_id == self._conversation.id:
            self.new()

    def close(self) -> None:
        """The window closes: store what is there of all answers, as interrupted."""
        self._answering.close()

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

    def _tell_shown(self) -> None:
        """Another conversation is on the screen."""
        self.gate.withdraw()
        self._follow_busy()
        self._tell_opened()
        for changed in (self.title_changed, self.model_changed, self.parameters.changed, self.hangs_changed):
            changed.emit()

    def _say(self, text: str, parent: str | None) -> bool:
        if not text.strip():
            return False
        message = Message(id=new_id(), parent=parent, role="user", text=replace_surrogates(text), created=time())
        return self._ask(message, said=(message,))

    def _ask(self, question: Message, said: Sequence[Message]) -> bool:
        """Have the question answered; store it first if it is new (`said`). False: nothing has changed."""
        if self._busy:
            return False
        model = self._library.description(self.model)
        if model is None:
            self.problem.emit("No model", "Choose a model that answers, then send the message again.")
            return False
        used_tokens = self._last.context_tokens + len(question.text) // _CHARACTERS_A_TOKEN
        if not self.loading.admits(model, used_tokens, go_on=lambda _: self._ask_at_last(question, said)):
            return False
        path = [*self._tree.path(question.parent), question]
        answer = answer_to(path, self._conversation, model=model.path, cache_bits=self.parameters.cache_bits)
        goes_on = bool(said) and question.parent == self._conversation.leaf
        title = self.title or title_from(question.text)
        if not self._open.change((*said, answer.message), leaf=answer.id, title=title, updated=answer.message.created):
            return False
        if goes_on:
            self._tell_added(len(said) + 1)
        else:
            self._tell_opened()
        self._answering.ask(answer)
        return True

    def _ask_at_last(self, question: Message, said: Sequence[Message]) -> None:
        """Go on with what had waited for a question."""
        if self._ask(question, said) and said:
            self.taken.emit(question.text)

    def _follow_memory(self) -> None:
        self.gate.withdraw()
        self._measure()

    def _tell_opened(self) -> None:
        if self._answer:
            self._answer.drain()  # `items` has this text; it must not be told twice
        answers = [message for message in self._tree.path(self._conversation.leaf) if message.role == "assistant"]
        self._last = of_message(answers[-1]) if answers else Throughput()
        self.opened.emit()
        self._measure()

    def _tell_added(self, count: int) -> None:
        for item in self.items[-count:]:
            self.item_added.emit(item)

    def _stream(self, answer: Answer, kind: str, text: str) -> None:
        if answer.id == self._conversation.leaf:
            self.text_streamed.emit(answer.id, kind, text)

    def _settle(self, answer: Answer, message: Message) -> None:
        """An answer has ended: it is in the store already."""
        if answer.id not in self._tree:
            return
        self._tree.replace(message)
        self._last = replace(of_message(message), history=answer.meter.throughput(0.0).history)
        for item in self.items:
            if item.message.id == message.id:
                self.item_changed.emit(item)

    def _follow_answers(self) -> None:
        self._follow_busy()
        self._measure()
        self.answering_changed.emit()

    def _follow_busy(self) -> None:
        if (busy := self._answer is not None) != self._busy:
            self._busy = busy
            self.busy_changed.emit()

    def _follow_library(self) -> None:
        if self.conversation is None and self._library.description(self.model) is None:
            self._open.change(**self._drafts.changed_to(self._conversation, self._drafts.new().model))
            self.parameters.changed.emit()
        self.model_changed.emit()
        self._measure()

    def _follow_preference(self, name: str) -> None:
        if name == "idle_unload_minutes":
            self._bridge.set_idle_timeout(60 * self._preferences.settings.idle_unload_minutes)
        elif name in ("system_prompt", "sampling") and self.conversation is None:
            value = self._drafts.sampling(self.model) if name == "sampling" else self._preferences.get(name)
            self._open.change((), **{name: value})
            self.parameters.changed.emit()

    def _measure(self) -> None:
        model = self._library.description(self.model)
        self._instruments.show(
            self._answer,
            self._last,
            model=model.path if model else None,
            context_length=model.context_length if model else 0,
            context_limit=self.parameters.context,
        )
