"""All that a job process is asked and answers, about the Hub, conversions and measurements, in one place."""

import msgspec

from mlx_engine.hub_messages import DownloadPlanned, DownloadProgress, HubEvent, HubRequest, Waiting
from mlx_engine.measure.results.messages import UNDERWAY as MEASURING
from mlx_engine.measure.results.messages import MeasureEvent, MeasureRequest
from mlx_engine.models.hub.upload_messages import UNDERWAY as PUBLISHING
from mlx_engine.models.hub.upload_messages import UploadEvent, UploadRequest
from mlx_engine.protocol import WorkerExited
from mlx_engine.quantize.plan.messages import (
    ConversionPlanned,
    ConversionProgress,
    Convert,
    Converted,
    Hold,
    OutlineRead,
    Proceed,
    ReadOutline,
    SourceArrived,
    SourceProgress,
)

JobRequest = HubRequest | UploadRequest | MeasureRequest | ReadOutline | Convert | Hold | Proceed
JobEvent = (
    HubEvent
    | UploadEvent
    | OutlineRead
    | SourceArrived
    | SourceProgress
    | ConversionPlanned
    | ConversionProgress
    | Converted
    | MeasureEvent
    | WorkerExited
)

UNDERWAY = (
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
"""The events after which more come of the same request."""

_request_decoder: msgspec.json.Decoder[JobRequest] = msgspec.json.Decoder(JobRequest)
_event_decoder: msgspec.json.Decoder[JobEvent] = msgspec.json.Decoder(JobEvent)


def decode_request(line: bytes) -> JobRequest:
    """Return the request in `line`.

    Raises:
        msgspec.DecodeError: the line is no request.
        InvalidRecipe: it asks for what MLX cannot do.
    """
    return _request_decoder.decode(line)


def decode_event(line: bytes) -> JobEvent:
    """Return the event in `line`.

    Raises:
        msgspec.DecodeError: the line is no event.
    """
    return _event_decoder.decode(line)
