"""The main loop of a worker: loads the model, then answers requests one after the other.

Knows requests and events, no pipes and no processes. Importing this module imports MLX.
"""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mlx.core as mx

from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.errors import EngineError, FacetError, RequestError
from mlx_engine.inference.generate import AnswerEvent, Generation
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.models.files import in_use
from mlx_engine.protocol import Event, Finished, Generate, Load, Loaded, LoadProgress, Memory, RequestFailed

_log = logging.getLogger(__name__)
_memory_interval_s = 0.5


def serve(inbox: Inbox, send: Callable[[Event], None]) -> None:
    """Serve requests forever; return only if the model cannot be loaded, once all waiting requests have failed."""
    generation = None
    while True:
        request = inbox.take()
        try:
            match request:
                case Load():
                    generation = _load(generation, request, send)
                case Generate():
                    _answer(generation, request, inbox, send)
        except FacetError as error:
            send(RequestFailed.from_error(request.id, error))
        except Exception as error:  # noqa: BLE001 - one bad request must not end the worker for all others
            _log.exception("Request %s failed", request.id)
            reason = " ".join(str(error).split())[:300]
            failure = EngineError(f"{type(error).__name__}: {reason}. See the log for details.")
            send(RequestFailed.from_error(request.id, failure))
        if isinstance(request, Load) and generation is None:
            for waiting in inbox.drain():
                send(RequestFailed.from_error(waiting.id, EngineError("The model could not be loaded.")))
            return


def _load(generation: Generation | None, request: Load, send: Callable[[Event], None]) -> Generation:
    if generation is not None:
        raise RequestError("This worker already has a model. Start another worker for another model.")
    started = time.perf_counter()
    in_use.hold(Path(request.path))
    model = open_model(Path(request.path))
    for event in _with_memory(_progress(request.id, model)):
        send(event)
    send(_memory())
    send(
        Loaded(
            id=request.id,
            context_length=model.context_length,
            can_think=model.can_think,
            weights_bytes=model.weights_bytes,
            load_s=time.perf_counter() - started,
            device=device_name(),
        )
    )
    return Generation(model)


def _progress(id: str, model: Model) -> Iterator[LoadProgress]:
    yield LoadProgress(id, 0, model.weights_bytes)
    for done_bytes in model.read_weights():
        yield LoadProgress(id, done_bytes, model.weights_bytes)


def _answer(generation: Generation | None, request: Generate, inbox: Inbox, send: Callable[[Event], None]) -> None:
    if generation is None:
        raise RequestError("No model is loaded yet: send a Load first.")
    for event in _with_memory(generation.answer(request, inbox.is_cancelled)):
        send(event)


def _with_memory(events: Iterator[AnswerEvent] | Iterator[LoadProgress]) -> Iterator[Event]:
    """Yield the events, with a Memory inserted about twice a second and before the end of an answer."""
    reported_at = time.monotonic()
    for event in events:
        if isinstance(event, Finished) or time.monotonic() - reported_at >= _memory_interval_s:
            reported_at = time.monotonic()
            yield _memory()
        yield event


def _memory() -> Memory:
    return Memory(mx.get_active_memory(), mx.get_cache_memory())
