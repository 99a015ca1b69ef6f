"""The whole contract between Facet and a worker process: one JSON object a line.

Requests go to the worker's standard input, events come from its standard output. Every event that belongs to a
request carries its `id`. A worker serves one model and ends when its standard input closes.

    parent                             worker
    Load ─────────────────────────────►
      ◄───────────── LoadProgress … Loaded | RequestFailed or Finished("cancelled"), and the worker ends
    Generate ─────────────────────────►
      ◄── Prefill … Delta … Memory … Finished | RequestFailed (the worker goes on)
    Cancel ───────────────────────────►
      ◄────── Finished(finish_reason="cancelled") of the request named

Requests are served in the order in which they come; a Generate sent during the load waits for it.
This module imports nothing of Facet but its errors and the sampling values, and no MLX.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mlx_engine.errors import RequestError
from mlx_engine.sampling import Sampling, sampling_fields

type_tag = "type"

Role = Literal["system", "user", "assistant"]
SegmentKind = Literal["answer", "thinking"]
FinishReason = Literal["stop", "length", "cancelled"]
CacheBits = Literal[16, 8, 4]
"""In which the keys and values of the context are kept; 16 are the network's own numbers, untouched."""


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of the conversation that the model reads."""

    role: Role
    content: str


class Load(msgspec.Struct, frozen=True, tag="load", tag_field=type_tag):
    """Load the model in `path`, an existing folder."""

    id: str
    path: str


class Generate(msgspec.Struct, frozen=True, kw_only=True, tag="generate", tag_field=type_tag):
    """Answer the last of `messages`, which is the user's. `think` turns thinking on or off where the model can.

    Prompt and answer together have at most `context_limit` tokens; 0 is as many as the model reads.
    """

    id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    think: bool = True
    context_limit: Annotated[int, Meta(ge=0)] = 0
    cache_bits: CacheBits = 16


class Cancel(msgspec.Struct, frozen=True, tag="cancel", tag_field=type_tag):
    """Stop the request `id`, whether it waits, loads, reads or answers. Unknown ids are ignored."""

    id: str


Request = Load | Generate | Cancel


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer cost. Rates are tokens per second; a rate that has no meaning (nothing read, one token) is 0."""

    prompt_tokens: int
    cached_tokens: int
    prefill_tokens_per_s: float
    time_to_first_token_s: float
    """From the moment at which the worker takes the request up: template, tokens and reading are in it."""
    generated_tokens: int
    """The token that ends the answer is counted too."""
    decode_tokens_per_s: float
    effective_tokens_per_s: float
    """Generated tokens over the whole time from the start of reading the prompt to the last token."""
    peak_memory_bytes: int
    context_tokens: int
    """Tokens in the context after this answer."""
    finish_reason: FinishReason


class LoadProgress(msgspec.Struct, frozen=True, tag="load_progress", tag_field=type_tag):
    """So many bytes of the weights are in memory."""

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
    """`done_tokens` of the `total_tokens` of the prompt are in the cache, `cached_tokens` of them from before.

    `reread_reason` says, in words for a person, why tokens that were read before are read again; else it is empty.
    """

    id: str
    done_tokens: int
    total_tokens: int
    cached_tokens: int
    reread_reason: str = ""


class Delta(msgspec.Struct, frozen=True, tag="delta", tag_field=type_tag):
    """More text of the answer; `generated_tokens` counts all so far, those without text of their own included."""

    id: str
    kind: SegmentKind
    text: str
    generated_tokens: int


class Memory(msgspec.Struct, frozen=True, tag="memory", tag_field=type_tag):
    """Memory held by MLX in the worker: live arrays, and freed buffers kept for reuse. Told when a model is loaded, and
    about twice a second at work.
    """

    active_bytes: int
    pool_bytes: int


class Finished(msgspec.Struct, frozen=True, tag="finished", tag_field=type_tag):
    """A request has ended as it should, or was cancelled (`statistics` is None if nothing was generated)."""

    id: str
    finish_reason: FinishReason
    statistics: Statistics | None = None


class RequestFailed(msgspec.Struct, frozen=True, tag="failed", tag_field=type_tag):
    """A request has ended with an error. `id` is empty if the line was no request at all."""

    id: str
    title: str
    message: str


class WorkerExited(msgspec.Struct, frozen=True, tag="exited", tag_field=type_tag):
    """The process has ended. Told by the client, never sent by a worker.

    `expected` is true when Facet itself ended it; else `reason` says why, as far as that can be known.
    """

    returncode: int
    expected: bool
    reason: str
    log_tail: str


Event = LoadProgress | Loaded | Prefill | Delta | Memory | Finished | RequestFailed | WorkerExited

_request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_event_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()
_undecodable = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class MalformedRequest(RequestError):
    """A line that is no legal request; `id` is its id where it has one, else empty."""

    def __init__(self, message: str, id: str) -> None:
        super().__init__(message)
        self.id = id


def encode(message: msgspec.Struct) -> bytes:
    """Return the message as one line, its newline included. Half characters (lone surrogates) become U+FFFD."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        return _encoder.encode(_whole_characters(msgspec.to_builtins(message))) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in `line`.

    Raises:
        MalformedRequest: the line is no JSON, of no known type, or a value is outside its range.
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
        msgspec.DecodeError: the line is no event.
    """
    return _event_decoder.decode(line)


def _explain(error: Exception, fields: dict[str, Any]) -> str:
    sampling = fields.get("sampling")
    for name, value in sampling.items() if isinstance(sampling, dict) else ():
        if (field := sampling_fields().get(name)) and not field.allows(value):
            return field.refuse(value).message
    reason = str(error).replace("`", "").replace("$.", "")
    return f"This is no request that the engine knows: {reason}."


def _fields_of(line: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(line)
    except _undecodable:
        return {}
    return fields if isinstance(fields, dict) else {}


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {key: _whole_characters(item) for key, item in value.items()}
    return [_whole_characters(item) for item in value] if isinstance(value, list | tuple) else value
