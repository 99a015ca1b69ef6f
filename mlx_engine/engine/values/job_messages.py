"""All requests to a job process and all events from it.

The messages are declared by subject, next to the values they carry: `hub_messages` (the Hub),
`models/hub/upload_messages` (publishing), `quantize/plan/messages` (conversions) and `measure/results/messages`
(measurements). Lines are encoded as in `protocol`.
"""

import msgspec

from mlx_engine.hub_messages import DownloadPlanned, DownloadProgress, HubEvent, HubRequest, Waiting
from mlx_engine.measure.results.messages import PROGRESS as MEASURING
from mlx_engine.measure.results.messages import (
    MeasureEvent,
    MeasureFidelity,
    MeasureRequest,
    MeasureSpeed,
    ReadCorpus,
    ReadTokens,
    RecordReference,
)
from mlx_engine.models.hub.upload_messages import UNDERWAY as PUBLISHING
from mlx_engine.models.hub.upload_messages import UploadEvent, UploadRequest
from mlx_engine.protocol import ProcessExited, RequestFailed
from mlx_engine.quantize.plan.messages import (
    ConversionPlanned,
    ConversionProgress,
    Convert,
    Converted,
    OutlineRead,
    Pause,
    ReadOutline,
    Resume,
    SourceArrived,
    SourceProgress,
)

JobRequest = HubRequest | UploadRequest | MeasureRequest | ReadOutline | Convert | Pause | Resume
JobReply = (
    HubEvent
    | UploadEvent
    | OutlineRead
    | SourceArrived
    | SourceProgress
    | ConversionPlanned
    | ConversionProgress
    | Converted
    | MeasureEvent
    | RequestFailed
)
"""Events that carry the id of a request."""
JobEvent = JobReply | ProcessExited

PROGRESS = (
    DownloadPlanned,
    DownloadProgress,
    Waiting,
    SourceArrived,
    SourceProgress,
    ConversionPlanned,
    ConversionProgress,
    *MEASURING,
    *PUBLISHING,
)
"""Events that more events of the same request follow."""


def needs_network(request: JobRequest) -> bool:
    """Return False for requests that are served on this Mac alone; their processes are kept off the network."""
    match request:
        case Convert():
            return not request.source
        case ReadOutline():
            return not request.model
        case Pause() | Resume() | RecordReference() | MeasureFidelity() | MeasureSpeed() | ReadTokens() | ReadCorpus():
            return False
        case _:
            return True


_request_decoder: msgspec.json.Decoder[JobRequest] = msgspec.json.Decoder(JobRequest)
_event_decoder: msgspec.json.Decoder[JobEvent] = msgspec.json.Decoder(JobEvent)


def decode_request(line: bytes) -> JobRequest:
    """Return the request in `line`.

    Raises:
        msgspec.DecodeError: the line is not a request.
        InvalidRecipe: the recipe uses a quantization MLX does not support.
    """
    return _request_decoder.decode(line)


def decode_event(line: bytes) -> JobEvent:
    """Return the event in `line`.

    Raises:
        msgspec.DecodeError: the line is not an event.
    """
    return _event_decoder.decode(line)
