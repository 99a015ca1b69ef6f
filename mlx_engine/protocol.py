"""The whole contract between Facet and a worker process: one JSON object a line.

Requests go to the worker's standard input, events come from its standard output. Every event that belongs to a
request carries its `id`. A worker serves one model and ends when its standard input closes.

    parent                             worker
    Load ─────────────────────────────►
      ◄───────────── LoadProgress … Loaded | RequestFailed (the worker then ends)
    Generate ─────────────────────────►
      ◄── Prefill … Delta … Memory … Finished | RequestFailed (the worker goes on)
    Cancel ───────────────────────────►
      ◄────── Finished(finish_reason="cancelled") of the request named

Requests are served in the order in which they come; a Generate sent during the load waits for it.
This module imports nothing of Facet but its errors, and no MLX.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mlx_engine.errors import InvalidParameter, RequestError

type_tag = "type"

Role = Literal["system", "user", "assistant"]
SegmentKind = Literal["answer", "thinking"]
FinishReason = Literal["stop", "length", "cancelled"]


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the next token is chosen. The bounds given here are the only ones: the worker, the settings dialog and
    the command line all read them from these annotations.
    """

    temperature: Annotated[float, Meta(ge=0, le=2, description="Randomness; 0 always takes the likeliest token.")] = 0.7
    top_p: Annotated[float, Meta(gt=0, le=1, description="Keep the likeliest tokens that add up to this share.")] = 0.95
    top_k: Annotated[int, Meta(ge=0, le=1000, description="Keep this many of the likeliest tokens; 0 keeps all.")] = 0
    min_p: Annotated[float, Meta(ge=0, le=1, description="Drop tokens less likely than this share of the top one.")] = (
        0.0
    )
    repetition_penalty: Annotated[float, Meta(ge=0.5, le=2, description="Above 1 makes repeating less likely.")] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1, description="The same seed gives the same answer.")] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=131_072, description="The longest answer, in tokens.")] = 4096
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=16)] = ()


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of the conversation that the model reads."""

    role: Role
    content: str


class Load(msgspec.Struct, frozen=True, tag="load", tag_field=type_tag):
    """Load the model in `path`, an existing folder."""

    id: str
    path: str


class Generate(msgspec.Struct, frozen=True, kw_only=True, tag="generate", tag_field=type_tag):
    """Answer the last of `messages`, which is the user's. `think` turns thinking on or off where the model can."""

    id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling = Sampling()
    think: bool = True


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
    generated_tokens: int
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
    """Memory held by MLX in the worker: live arrays, and freed buffers kept for reuse. About twice a second at work."""

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


class MalformedRequest(RequestError):
    """A line that is no legal request; `id` is its id where it has one, else empty."""

    def __init__(self, message: str, id: str) -> None:
        super().__init__(message)
        self.id = id


def encode(message: Request | Event) -> bytes:
    """Return the message as one line, its newline included."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in `line`.

    Raises:
        MalformedRequest: the line is no JSON, of no known type, or a value is outside its range.
    """
    try:
        return _request_decoder.decode(line)
    except msgspec.DecodeError as error:
        raise MalformedRequest(_explain(error), _id_of(line)) from error


def decode_event(line: bytes) -> Event:
    """Return the event in `line`.

    Raises:
        msgspec.DecodeError: the line is no event.
    """
    return _event_decoder.decode(line)


def check_sampling(sampling: Sampling) -> None:
    """Check every value against its range.

    Raises:
        InvalidParameter: a value is out of range; the message names it and the legal range.
    """
    for field in msgspec.structs.fields(Sampling):
        value = getattr(sampling, field.name)
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            raise InvalidParameter(f"{field.name} is {value!r}: {_in_words(str(error))}.") from error


def _explain(error: msgspec.DecodeError) -> str:
    reason, _, path = str(error).partition(" - at `$.")
    where = path.rstrip("`").removeprefix("sampling.")
    return f"{where}: {_in_words(reason)}." if where else f"Not a request: {_in_words(reason)}."


def _in_words(reason: str) -> str:
    return reason.replace("`", "").replace("Expected", "expected", 1).partition(" - at ")[0]


def _id_of(line: bytes) -> str:
    try:
        fields: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return ""
    found = fields.get("id", "") if isinstance(fields, dict) else ""
    return found if isinstance(found, str) else ""
