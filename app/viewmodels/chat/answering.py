"""The queue of answers of all conversations; the engine works on one at a time.

Sends each request in turn, collects the text, stores checkpoints and emits progress. Timers run only during an answer.
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
"""Time that a model has to stop. It checks after each step, and a prefill step takes at most half a second."""


class Answering(QObject):
    """The engine works on the first answer; the others wait."""

    streamed = Signal(object, str, str)  # Answer, "answer" or "thinking", text; at most 30 per second
    ended = Signal(object, object)  # Answer, final Message
    metered = Signal(object)  # Answer with new figures
    changed = Signal()  # an answer was added or ended
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
        self._idle_calls: list[Callable[[], object]] = []
        bridge.event_received.connect(self._on_event)

    @property
    def running(self) -> Answer | None:
        """The answer that the engine is working on."""
        return self._running

    def hangs(self, conversation_id: str) -> bool:
        """Return True if the answer of the conversation was stopped and the model does not react."""
        return self._hanging and self._running is not None and self._running.conversation_id == conversation_id

    def conversations(self) -> frozenset[str]:
        """Return the ids of the conversations with an answer in the queue."""
        return frozenset(answer.conversation_id for answer in self._answers)

    def of(self, conversation_id: str) -> Answer | None:
        """Return the answer of the conversation, or None."""
        return next((answer for answer in self._answers if answer.conversation_id == conversation_id), None)

    def ask(self, answer: Answer) -> None:
        """Append an answer to the queue; its message is in the store already."""
        self._answers.append(answer)
        self.changed.emit()
        self._start()

    def stop(self, conversation_id: str) -> None:
        """Stop the answer of the conversation; a waiting one ends at once."""
        answer = self.of(conversation_id)
        if answer is None:
            return
        if answer is self._running:
            self._bridge.cancel(answer.id)
            self._grace_timer.start()
        else:
            self._end(answer, Finished(answer.id, "cancelled"))

    def end_model(self, conversation_id: str) -> None:
        """Quit the model that is answering the conversation; the text so far is kept."""
        answer = self.of(conversation_id)
        if answer and answer is self._running:
            self._bridge.unload(answer.model)

    def call_when_idle(self, act: Callable[[], object]) -> None:
        """Call `act` once, as soon as the queue is empty."""
        self._idle_calls.append(act)
        self._run_idle_calls()

    def abandon(self, conversation_id: str) -> None:
        """Stop the answer of a deleted conversation without waiting for the engine."""
        if answer := self.of(conversation_id):
            self._bridge.cancel(answer.id)
            self._end(answer, Finished(answer.id, "cancelled"))

    def close(self) -> None:
        """Store all answers as interrupted before the app quits."""
        for answer in self._answers:
            self._save(answer, replace(answer.message, state=MessageState.INTERRUPTED))
        self._answers.clear()
        self._running = None
        self._stop_timers()

    def _start(self) -> None:
        """Send the first request, unless the engine is working on it."""
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

    def _on_event(self, model: Path, event: Event) -> None:
        answer = self._running
        if answer is None or answer.model != model:
            return
        match event:
            case LoadProgress() | Loaded() | Prefill(id=answer.id):
                answer.meter.update(event, monotonic())
                self.metered.emit(answer)
            case Delta(id=answer.id):
                self._append(answer, event)
            case Finished(id=answer.id) | RequestFailed(id=answer.id):
                self._flush()
                self._end(answer, event)

    def _append(self, answer: Answer, event: Delta) -> None:
        now = monotonic()
        answer.meter.update(event, now)
        answer.append(event, now)
        if not self._flush_timer.isActive():
            self._flush_timer.start()

    def _end(self, answer: Answer, event: Finished | RequestFailed) -> None:
        message = answer.end(event)
        self._answers.remove(answer)
        if answer is self._running:
            self._running = None
            self._stop_timers()
        self._save(answer, message)
        self.ended.emit(answer, message)
        self.changed.emit()
        self._start()
        self._run_idle_calls()

    def _stop_timers(self) -> None:
        self._flush_timer.stop()
        self._meter_timer.stop()
        self._checkpoint_timer.stop()
        self._grace_timer.stop()
        self._set_hanging(hangs=False)

    def _set_hanging(self, *, hangs: bool) -> None:
        if hangs != self._hanging:
            self._hanging = hangs
            self.hanging_changed.emit()

    def _run_idle_calls(self) -> None:
        if not self._answers:
            calls, self._idle_calls = self._idle_calls, []
            for call in calls:
                call()

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
        if answer and (message := answer.checkpoint()) and not self._save(answer, message):
            # Each attempt may block the window while the file is locked. The end of the answer is saved again.
            self._checkpoint_timer.stop()

    def _save(self, answer: Answer, message: Message) -> bool:
        try:
            self._store.save_message(answer.conversation_id, message)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return False
        return True
