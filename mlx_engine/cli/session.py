"""Synchronous chat with one model: a worker pool whose events are received in the main thread."""

import contextlib
import queue
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.pool import EnginePool
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.protocol import CacheBits, ChatMessage, Event, Finished, Generate, RequestFailed, new_id
from mlx_engine.sampling import Sampling


class AnswerFailed(FacetError):
    """A refused request or a dead worker, with the title and message that the worker reported."""

    def __init__(self, failure: RequestFailed) -> None:
        super().__init__(failure.message)
        self.title = failure.title


class Session:
    """Chat with one model, with a context of `context_limit` tokens (0: the model's maximum).

    Leaving the `with` block ends the worker.
    """

    def __init__(
        self,
        model: Path,
        folders: Folders,
        *,
        command: Sequence[str] | None = None,
        context_limit: int = 0,
        cache_bits: CacheBits = 16,
    ) -> None:
        self._model = model
        self._context_limit: int = context_limit
        self._cache_bits: CacheBits = cache_bits
        self._parcels: queue.SimpleQueue[Parcel[Event] | None] = queue.SimpleQueue()
        self._events: deque[Event] = deque()
        self._pool = EnginePool(
            post=self._parcels.put,
            on_event=lambda _, event: self._events.append(event),
            logs=folders.logs,
            command=command,
        )

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def answer(self, messages: Sequence[ChatMessage], sampling: Sampling, *, think: bool) -> Iterator[Event]:
        """Yield the events of loading, if needed, and of the answer, up to its `Finished`.

        Control-C cancels the answer; pressed again, it raises `KeyboardInterrupt`.

        Raises:
            AnswerFailed: the worker refused the request or died. The next answer restarts it.
            FacetError: the request is not valid, or the worker cannot be started.
        """
        request = Generate(
            id=new_id(),
            messages=tuple(messages),
            sampling=sampling,
            think=think,
            context_limit=self._context_limit,
            cache_bits=self._cache_bits,
        )
        self._pool.generate(self._model, request)
        with self._interrupts_as_parcels():
            for event in self._receive(request.id):
                if isinstance(event, RequestFailed) and event.id == request.id:
                    raise AnswerFailed(event)
                yield event
                if isinstance(event, Finished) and event.id == request.id:
                    return

    def _receive(self, request_id: str) -> Iterator[Event]:
        interrupted = False
        while True:
            parcel = self._parcels.get()
            if parcel is not None:
                self._pool.receive(parcel)
            elif interrupted:
                raise KeyboardInterrupt
            else:
                interrupted = True
                self._pool.cancel(request_id)
            while self._events:
                yield self._events.popleft()

    @contextlib.contextmanager
    def _interrupts_as_parcels(self) -> Iterator[None]:
        # An exception inside `receive` would leave the pool in an inconsistent state; `put` is safe in a handler.
        handler = signal.signal(signal.SIGINT, lambda *_: self._parcels.put(None))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
