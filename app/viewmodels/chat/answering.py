"""The answers under way, one at a time, whichever conversation is on the screen.

Sends each request when its turn comes, gathers the text, stores it as it grows, and tells. Its timers run only while
there is an answer.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.conversation import Message, MessageState
from app.domain.store import Store
from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.chat.answer import Answer
from mlx_engine.errors import FacetError, StorageError
from mlx_engine.protocol import Delta, Event, Finished, Loaded, LoadProgress, Prefill, RequestFailed

FLUSH_MS = 33
METER_MS = 250
CHECKPOINT_MS = 450
STOP_GRACE_MS = 5_000
"""How long a model may take to stop. It looks after each step, and a step of reading takes half a second at most."""


class Answering(QObject):
    """The first answer is with the engine, the others wait for it to end."""

    streamed = Signal(object, str, str)  # Answer, "answer" or "thinking", text; at most 30 a second
    ended = Signal(object, object)  # Answer, Message as it stays
    metered = Signal(object)  # Answer whose figures are new
    changed = Signal()  # an answer was added or has ended
    hanging_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, store: Store, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._bridge = bridge
        self._answers: list[Answer] = []
        self._running: Answer | None = None
        self._flush_timer = QTimer(self, singleShot=True, interval=FLUSH_MS)
        self._flush_timer.timeout.connect(self._flush)
        self._meter_timer = QTimer(self, interval=METER_MS)
        self._meter_timer.timeout.connect(self._meter)
        self._checkpoint_timer = QTimer(self, interval=CHECKPOINT_MS)
        self._checkpoint_timer.timeout.connect(self._checkpoint)
        self._grace_timer = QTimer(self, singleShot=True, interval=STOP_GRACE_MS)
        self._grace_timer.timeout.connect(lambda: self._set_hanging(hangs=True))
        self._hanging = False
        self._afterwards: list[Callable[[], object]] = []
        bridge.event_received.connect(self._take)

    @property
    def running(self) -> Answer | None:
        """The answer that is with the engine."""
        return self._running

    def hangs(self, conversation_id: str) -> bool:
        """Return whether the conversation's answer was to stop and has not for too long."""
        return self._hanging and self._running is not None and self._running.conversation_id == conversation_id

    def conversations(self) -> frozenset[str]:
        """Return the ids of the conversations with an answer under way."""
        return frozenset(answer.conversation_id for answer in self._answers)

    def of(self, conversation_id: str) -> Answer | None:
        """Return the conversation's answer under way."""
        return next((answer for answer in self._answers if answer.conversation_id == conversation_id), None)

    def ask(self, answer: Answer) -> None:
        """Put the answer at the end of the line; its message is in the store already."""
        self._answers.append(answer)
        self.changed.emit()
        self._start()

    def stop(self, conversation_id: str) -> None:
        """Stop the conversation's answer, which ends at once if it is not its turn yet."""
        answer = self.of(conversation_id)
        if answer is None:
            return
        if answer is self._running:
            self._bridge.cancel(answer.id)
            self._grace_timer.start()
        else:
            self._end(answer, Finished(answer.id, "cancelled"))

    def end_model(self, conversation_id: str) -> None:
        """End the model that is at the conversation's answer; what is there of the answer stays."""
        answer = self.of(conversation_id)
        if answer and answer is self._running:
            self._bridge.unload(answer.model)

    def afterwards(self, act: Callable[[], object]) -> None:
        """Call `act` once, as soon as no answer is under way."""
        self._afterwards.append(act)
        self._act_afterwards()

    def abandon(self, conversation_id: str) -> None:
        """Stop the conversation's answer without waiting for the engine: the conversation goes away."""
        if answer := self.of(conversation_id):
            self._bridge.cancel(answer.id)
            self._end(answer, Finished(answer.id, "cancelled"))

    def close(self) -> None:
        """The app ends: store what is there as interrupted."""
        for answer in self._answers:
            self._save(answer, replace(answer.message, state=MessageState.INTERRUPTED))
        self._answers.clear()
        self._running = None
        self._rest()

    def _start(self) -> None:
        """Send the first answer's request unless it is with the engine already."""
        if self._running or not self._answers:
            return
        answer = self._running = self._answers[0]
        self._meter_timer.start()
        self._checkpoint_timer.start()
        answer.meter.start(self._bridge.state(answer.model))
        try:
            self._bridge.generate(answer.model, answer.request)
        except FacetError as error:
            self._end(answer, RequestFailed(answer.id, error.title, error.message))
        else:
            self.metered.emit(answer)

    def _take(self, model: Path, event: Event) -> None:
        answer = self._running
        if answer is None or answer.model != model:
            return
        match event:
            case LoadProgress() | Loaded() | Prefill(id=answer.id):
                answer.meter.take(event, monotonic())
                self.metered.emit(answer)
            case Delta(id=answer.id):
                self._grow(answer, event)
            case Finished(id=answer.id) | RequestFailed(id=answer.id):
                self._flush()
                self._end(answer, event)

    def _grow(self, answer: Answer, event: Delta) -> None:
        now = monotonic()
        answer.meter.take(event, now)
        answer.take(event, now)
        if not self._flush_timer.isActive():
            self._flush_timer.start()

    def _end(self, answer: Answer, event: Finished | RequestFailed) -> None:
        message = answer.end(event)
        self._answers.remove(answer)
        if answer is self._running:
            self._running = None
            self._rest()
        self._save(answer, message)
        self.ended.emit(answer, message)
        self.changed.emit()
        self._start()
        self._act_afterwards()

    def _rest(self) -> None:
        self._flush_timer.stop()
        self._meter_timer.stop()
        self._checkpoint_timer.stop()
        self._grace_timer.stop()
        self._set_hanging(hangs=False)

    def _set_hanging(self, *, hangs: bool) -> None:
        if hangs != self._hanging:
            self._hanging = hangs
            self.hanging_changed.emit()

    def _act_afterwards(self) -> None:
        if not self._answers:
            acts, self._afterwards = self._afterwards, []
            for act in acts:
                act()

    def _flush(self) -> None:
        if answer := self._running:
            for kind, text in answer.drain():
                self.streamed.emit(answer, kind, text)

    def _meter(self) -> None:
        if answer := self._running:
            answer.meter.tick(monotonic())
            self.metered.emit(answer)

    def _checkpoint(self) -> None:
        answer = self._running
        if answer and (grown := answer.checkpoint()) and not self._save(answer, grown):
            # Each try may wait for a locked file, and the window with it. The end of the answer is tried once more.
            self._checkpoint_timer.stop()

    def _save(self, answer: Answer, message: Message) -> bool:
        try:
            self._store.save_message(answer.conversation_id, message)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return False
        return True
