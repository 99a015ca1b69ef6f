"""The contract between Facet and a worker process: one JSON object per line.

Requests go to the worker's standard input, events come from its standard output. Every event of a request carries the
request's `id`. A worker serves one model and ends when its standard input closes.

    parent                             worker
    Load ─────────────────────────────►
      ◄───────────── LoadProgress … Loaded | RequestFailed or Finished("cancelled"): the worker ends
    Generate ─────────────────────────►
      ◄── Prefill … Delta … Memory … Finished | RequestFailed: the worker continues
    Cancel ───────────────────────────►
      ◄────── Finished(finish_reason="cancelled") of that request

Requests are served in order; a Generate sent while the model loads waits for it. Jobs use the same lines, with the
requests and events in `engine/values/job_messages.py`; `RequestFailed` and `ProcessExited` are shared.
"""

from typing import Annotated, Any, Literal
from uuid import uuid4

import msgspec
from msgspec import Meta

from mlx_engine.errors import EngineError, FacetError, HubBusy, InvalidParameter, RequestError
from mlx_engine.sampling import Sampling, sampling_fields

type_tag = "type"

Role = Literal["system", "user", "assistant"]
SegmentKind = Literal["answer", "thinking"]
FinishReason = Literal["stop", "length", "cancelled"]
CacheBits = Literal[16, 8, 4]
"""Precision of the KV cache; 16 stores keys and values as the network computes them."""


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Role
    content: str


class Load(msgspec.Struct, frozen=True, tag="load", tag_field=type_tag):
    """Load the model in the folder `path`."""

    id: str
    path: str


class Generate(msgspec.Struct, frozen=True, kw_only=True, tag="generate", tag_field=type_tag):
    """Answer the last of `messages`, a user message. `think` turns thinking on or off for models that support it.

    Prompt and answer together take at most `context_limit` tokens; 0 means the model's own context length.
    """

    id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    think: bool = True
    context_limit: Annotated[int, Meta(ge=0)] = 0
    cache_bits: CacheBits = 16


class Cancel(msgspec.Struct, frozen=True, tag="cancel", tag_field=type_tag):
    """Cancel the request `id` at any stage: waiting, loading, prefill or decode. Unknown ids are ignored."""

    id: str


Request = Load | Generate | Cancel


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of one answer. Rates are in tokens per second; an undefined rate (empty prefill, one token) is 0."""

    prompt_tokens: int
    cached_tokens: int
    prefill_tokens_per_s: float
    time_to_first_token_s: float
    """Counted from the start of the request: template, tokenization and prefill are included."""
    generated_tokens: int
    """Includes the end-of-sequence token."""
    decode_tokens_per_s: float
    effective_tokens_per_s: float
    """Generated tokens over the time from the start of prefill to the last token."""
    peak_memory_bytes: int
    context_tokens: int
    """Tokens in the context after this answer."""
    finish_reason: FinishReason


class LoadProgress(msgspec.Struct, frozen=True, tag="load_progress", tag_field=type_tag):
    """Bytes of the weights in memory so far."""

    id: str
    done_bytes: int
    total_bytes: int


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag="loaded", tag_field=type_tag):
    """The model is ready."""

    id: str
    context_length: int
    can_think: bool
    weights_bytes: int
    load_s: float
    device: str


class Prefill(msgspec.Struct, frozen=True, kw_only=True, tag="prefill", tag_field=type_tag):
    """Prompt tokens in the KV cache so far, `cached_tokens` of them from an earlier request.

    `reread_reason` explains to the user why tokens that were cached before are processed again, or is empty.
    """

    id: str
    done_tokens: int
    total_tokens: int
    cached_tokens: int
    reread_reason: str = ""


class Delta(msgspec.Struct, frozen=True, tag="delta", tag_field=type_tag):
    """More text of the answer; `generated_tokens` counts all tokens so far, including those without text."""

    id: str
    kind: SegmentKind
    text: str
    generated_tokens: int


class Memory(msgspec.Struct, frozen=True, tag="memory", tag_field=type_tag):
    """Memory held by MLX in the worker: live arrays, and freed buffers kept for reuse.

    Sent when a model is loaded, and about twice a second while the worker is busy.
    """

    active_bytes: int
    pool_bytes: int


class Finished(msgspec.Struct, frozen=True, tag="finished", tag_field=type_tag):
    """A request is complete or was cancelled; `statistics` is None if nothing was generated."""

    id: str
    finish_reason: FinishReason
    statistics: Statistics | None = None


class RequestFailed(msgspec.Struct, frozen=True, tag="failed", tag_field=type_tag):
    """A request to a worker or a job has failed. `id` is empty if the line was not a valid request."""

    id: str
    title: str
    message: str
    error: str = EngineError.__name__
    """Class name in `errors.py`."""
    retry_after_s: int = 0
    """Delay the Hub asks for; 0 if none."""

    @classmethod
    def from_error(cls, id: str, error: FacetError) -> "RequestFailed":
        delay_s = error.retry_after_s if isinstance(error, HubBusy) else 0
        return cls(id, error.title, error.message, type(error).__name__, delay_s)


class ProcessExited(msgspec.Struct, frozen=True, tag="exited", tag_field=type_tag):
    """A worker or job process has ended. Reported by its client, never sent by the process.

    `expected` is true if Facet ended it; otherwise `reason` is the most likely cause.
    """

    returncode: int
    expected: bool
    reason: str
    log_tail: str


Event = LoadProgress | Loaded | Prefill | Delta | Memory | Finished | RequestFailed | ProcessExited

_request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()
_undecodable = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class MalformedRequest(RequestError):
    """A line that is not a valid request; `id` is its id, or empty if it has none."""

    def __init__(self, message: str, id: str) -> None:
        super().__init__(message)
        self.id = id


def new_id() -> str:
    """Return a unique id, for a request, a message or a conversation."""
    return uuid4().hex


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as one line with its newline. Lone surrogates become U+FFFD."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        return _encoder.encode(_replace_surrogates(msgspec.to_builtins(message))) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in `line`.

    Raises:
        MalformedRequest: the line is not JSON, its type is unknown, or a value is out of range.
    """
    try:
        return _request_decoder.decode(line)
    except _undecodable as error:
        fields = _fields_of(line)
        request_id = fields.get("id")
        raise MalformedRequest(_explain(error, fields), request_id if isinstance(request_id, str) else "") from error


def decode_event(line: bytes) -> Event:
    """Return the event in `line`.

    Raises:
        msgspec.DecodeError: the line is not an event.
    """
    return _event_decoder.decode(line)


def _explain(error: Exception, fields: dict[str, Any]) -> str:
    sampling = fields.get("sampling")
    for name, value in sampling.items() if isinstance(sampling, dict) else ():
        try:
            if field := sampling_fields().get(name):
                field.check(value)
        except InvalidParameter as invalid:
            return invalid.message
    reason = str(error).replace("`", "").replace("$.", "")
    return f"Invalid request: {reason}."


def _fields_of(line: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(line)
    except _undecodable:
        return {}
    return fields if isinstance(fields, dict) else {}


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _replace_surrogates(item) for key, item in value.items()}
    return [_replace_surrogates(item) for item in value] if isinstance(value, list | tuple) else value
