"""The conversation on the screen, and what a person can do in it. What is on the screen is what is in the store."""

from collections.abc import Sequence
from dataclasses import replace
from time import time
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.conversation import (
    Conversation,
    Message,
    MessageTree,
    draft,
    new_id,
    title_from,
    whole_characters,
)
from app.domain.store import Store
from app.viewmodels.answer import Answer, answer_to
from app.viewmodels.answering import Answering
from app.viewmodels.engine_bridge import EngineBridge
from app.viewmodels.instruments import Instruments
from app.viewmodels.message_items import MessageItem, items_of
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.preferences import Preferences
from app.viewmodels.throughput import Throughput, of_message
from mlx_engine.errors import InvalidParameter, StorageError
from mlx_engine.sampling import Sampling, check_sampling

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
    model_changed = Signal()
    title_changed = Signal()
    parameters_changed = Signal()
    problem = Signal(str, str)  # title, message
    stored = Signal(object)  # Conversation, new or with new values
    answering_changed = Signal()  # read `answering`

    def __init__(
        self,
        store: Store,
        bridge: EngineBridge,
        library: ModelLibrary,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._bridge = bridge
        self._library = library
        self._preferences = preferences
        self._answering = Answering(store, bridge, self)
        self._instruments = Instruments(bridge, self)
        self._tree = MessageTree()
        self._conversation = self._draft()
        self._last = Throughput()
        self._busy = False
        self._answering.streamed.connect(self._stream)
        self._answering.ended.connect(self._settle)
        self._answering.metered.connect(self._instruments.read_soon)
        self._answering.changed.connect(self._follow_answers)
        self._answering.problem.connect(self.problem)
        self._instruments.changed.connect(self.throughput_changed)
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

    @property
    def busy(self) -> bool:
        """Whether an answer of this conversation waits or is under way."""
        return self._busy

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

    @property
    def system_prompt(self) -> str:
        return self._conversation.system_prompt

    @property
    def sampling(self) -> Sampling:
        return self._conversation.sampling

    @property
    def think(self) -> bool:
        return self._conversation.think

    def open(self, conversation_id: str | None) -> None:
        """Show another conversation; None begins a new one."""
        if conversation_id is None:
            self.new()
        elif conversation_id != self._conversation.id:
            try:
                conversation = self._store.conversation(conversation_id)
                messages = self._store.messages(conversation_id)
            except StorageError as error:
                self.problem.emit(error.title, error.message)
                return
            if conversation:
                self._show(conversation, MessageTree(messages))

    def new(self) -> None:
        """Begin a new conversation with the defaults of the settings and the model chosen last."""
        self._show(self._draft(), MessageTree())

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

    def switch_branch(self, message_id: str, delta: int) -> None:
        """Show the version `delta` places before or after that of the message."""
        if message_id in self._tree:
            leaf = self._tree.switch(message_id, delta)
            if leaf != self._conversation.leaf and self._change(leaf=leaf):
                self._tell_opened()

    def set_model(self, model_id: str) -> None:
        """Choose the model that answers from now on; unknown and broken ones are refused."""
        if model_id == self.model or self._library.description(model_id) is None:
            return
        if self._change(model=model_id):
            self._preferences.set("last_model", model_id)
            self.model_changed.emit()
            self._measure()

    def set_parameters(self, system_prompt: str, sampling: Sampling, think: bool) -> None:
        """Change how this conversation is answered from now on; values out of range are refused."""
        try:
            check_sampling(sampling)
        except InvalidParameter as error:
            self.problem.emit(error.title, error.message)
            return
        known = (self.system_prompt, self.sampling, self.think)
        values = (whole_characters(system_prompt), sampling, think)
        if values != known and self._change(system_prompt=values[0], sampling=sampling, think=think):
            self.parameters_changed.emit()

    def adopt(self, conversation: Conversation) -> None:
        """Take over what the list has stored of a conversation: its new title."""
        if conversation.id == self._conversation.id and conversation.title != self.title:
            self._conversation = conversation
            self.title_changed.emit()

    def rename_model(self, old: str, new: str) -> None:
        """Call a model by its new id in all that was said, and in what is on the screen."""
        try:
            renamed = self._store.rename_model(old, new)
            shown = self._store.conversation(self._conversation.id)
            messages = self._store.messages(self._conversation.id)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return
        for conversation in renamed:
            self.stored.emit(conversation)
        if shown:
            self._show(shown, MessageTree(messages))
        elif self.model == old:
            self._change(model=new)
            self.model_changed.emit()

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

    def _draft(self) -> Conversation:
        return draft(self._default_model(), self._preferences.settings)

    def _default_model(self) -> str:
        """Return the model that was chosen last, or else the first there is."""
        usable = [model.id for model in self._library.usable()]
        last = self._preferences.settings.last_model
        return last if last in usable else next(iter(usable), "")

    def _show(self, conversation: Conversation, tree: MessageTree) -> None:
        leaf = conversation.leaf if conversation.leaf in tree else tree.newest_leaf()
        self._conversation, self._tree = replace(conversation, leaf=leaf), tree
        self._follow_busy()
        self._tell_opened()
        for changed in (self.title_changed, self.model_changed, self.parameters_changed):
            changed.emit()

    def _say(self, text: str, parent: str | None) -> bool:
        if not text.strip():
            return False
        message = Message(id=new_id(), parent=parent, role="user", text=whole_characters(text), created=time())
        return self._ask(message, said=(message,))

    def _ask(self, question: Message, said: Sequence[Message]) -> bool:
        """Have the question answered; store it first if it is new (`said`). False: nothing has changed."""
        if self._busy:
            return False
        model = self._library.description(self.model)
        if model is None:
            self.problem.emit("No model", "Choose a model that answers, then send the message again.")
            return False
        path = [*self._tree.path(question.parent), question]
        answer = answer_to(path, self._conversation, model=model.path)
        goes_on = bool(said) and question.parent == self._conversation.leaf
        title = self.title or title_from(question.text)
        if not self._change((*said, answer.message), leaf=answer.id, title=title, updated=answer.message.created):
            return False
        if goes_on:
            self._tell_added(len(said) + 1)
        else:
            self._tell_opened()
        self._answering.ask(answer)
        return True

    def _change(self, messages: Sequence[Message] = (), **values: Any) -> bool:
        """Store the conversation with new values and messages, then take them over. A draft that stays one is kept."""
        conversation = replace(self._conversation, **values)
        if conversation.leaf:
            try:
                self._store.save(conversation, messages)
            except StorageError as error:
                self.problem.emit(error.title, error.message)
                return False
        for message in messages:
            self._tree.add(message)
        before, self._conversation = self._conversation, conversation
        if conversation.leaf:
            self.stored.emit(conversation)
        if conversation.title != before.title:
            self.title_changed.emit()
        return True

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
            self._change(model=self._default_model())
        self.model_changed.emit()
        self._measure()

    def _follow_preference(self, name: str) -> None:
        if name == "idle_unload_minutes":
            self._bridge.unload_after(60 * self._preferences.settings.idle_unload_minutes)
        elif name in ("system_prompt", "sampling") and self.conversation is None:
            self._change(**{name: self._preferences.get(name)})
            self.parameters_changed.emit()

    def _measure(self) -> None:
        model = self._library.description(self.model)
        self._instruments.show(
            self._answer,
            self._last,
            model=model.path if model else None,
            context_length=model.context_length if model else 0,
        )
