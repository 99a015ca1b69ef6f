"""One model answering in this process's main thread: a pool, and the queue its events come through."""

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
    """The worker refused the request, or died; title and message are its own."""

    def __init__(self, failure: RequestFailed) -> None:
        super().__init__(failure.message)
        self.title = failure.title


class Session:
    """Answers of one model, with room for `context_limit` tokens (0: as many as it has), kept in `cache_bits`.

    Leaving the context ends the worker.
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
        """Yield the events of loading, where need be, and of the answer; the last one is its `Finished`.

        Control-C cancels the answer; a second one raises `KeyboardInterrupt`.

        Raises:
            AnswerFailed: the worker refused the request, or died. The next answer starts it anew.
            FacetError: the request is not legal, or the worker cannot be started.
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
            for event in self._events_as_they_come(request.id):
                if isinstance(event, RequestFailed) and event.id == request.id:
                    raise AnswerFailed(event)
                yield event
                if isinstance(event, Finished) and event.id == request.id:
                    return

    def _events_as_they_come(self, request_id: str) -> Iterator[Event]:
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
        # An exception in the middle of `receive` would leave the pool half changed; `put` may be called from a handler.
        before = signal.signal(signal.SIGINT, lambda *_: self._parcels.put(None))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
