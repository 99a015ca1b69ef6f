"""Serves publishing requests: writes a model card, checks the target repository, uploads the model."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.errors import HubError, NameTaken
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Waiting
from mlx_engine.measure.report.one_model import MeasurementLine, of_fidelity, of_speed
from mlx_engine.measure.results.results import fidelity_of, speed_of
from mlx_engine.models.description.card import read_metadata
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.hub import access_token
from mlx_engine.models.hub.cache import CachedRevision, cache_folder
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.target import inspect_target
from mlx_engine.models.hub.upload import upload
from mlx_engine.models.hub.upload_messages import (
    CardDraft,
    DraftCard,
    InspectTarget,
    OutgoingFile,
    Publish,
    PublishTarget,
    UploadEvent,
    UploadRequest,
)
from mlx_engine.models.memory.memory import METAL, estimate
from mlx_engine.quantize.publish.model_card import Measurement, ModelCard, write_card
from mlx_engine.quantize.publish.publish import Conversion, collect, license_of, license_warning, read_conversion

_CONTEXT = 8192
"""Context length, in tokens, for the memory use stated on the card."""


def serve(request: UploadRequest) -> Iterator[UploadEvent | Waiting]:
    """Yield the events of one request.

    Raises:
        FacetError: the request failed.
    """
    conversion = read_conversion(Path(request.folder))
    hub = Hub(*access_token.current())
    match request:
        case DraftCard():
            yield _draft(request, conversion, hub)
        case InspectTarget():
            yield _look(request, conversion, hub)
        case Publish():
            yield from _publish(request, conversion, hub)


def _draft(request: DraftCard, conversion: Conversion, hub: Hub) -> CardDraft:
    account, base = "", _base_card(conversion, hub)
    with contextlib.suppress(HubError):
        account = hub.who_am_i() if hub.token else ""
    repository = request.repository or f"{account or 'you'}/{conversion.model.path.name}"
    metadata = read_metadata(base)
    license_name = request.license or next(iter(metadata.get("license", ())), "") or conversion.note.license
    context = min(conversion.model.context_length or _CONTEXT, _CONTEXT)
    card = ModelCard(
        conversion=conversion,
        repository=repository,
        license=license_name,
        base_metadata=metadata,
        measurements=tuple(measurements(conversion.model.path)),
        memory_bytes=estimate(conversion.model, context, runtime=METAL).total_bytes,
        memory_context=context,
    )
    return CardDraft(
        id=request.id,
        repository=repository,
        account=account,
        card=write_card(card),
        license=license_name,
        base_model=conversion.base_model,
        warnings=tuple(filter(None, [_obstacle(conversion.model)])),
    )


def _obstacle(model: ModelDescription) -> str:
    return f"Facet cannot run this model: {model.obstacle}" if model.obstacle else ""


def _base_card(conversion: Conversion, hub: Hub) -> str:
    """Return the card of the base model, from the local cache or else the Hub; "" if neither has one."""
    base, commit = conversion.base_model, conversion.note.revision
    if not base:
        return ""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (CachedRevision.of(cache_folder(), base, commit or "main").folder / "README.md").read_text()
    with contextlib.suppress(HubError), hub.translate_errors(base):
        return hub.get(f"/{base}/resolve/{commit or 'main'}/README.md").text
    return ""


def _look(request: InspectTarget, conversion: Conversion, hub: Hub) -> PublishTarget:
    _check_license(request.card, is_public=request.is_public)
    target = inspect_target(request.repository, conversion.note, hub, is_public=request.is_public)
    files = collect(conversion, request.card)
    return PublishTarget(
        id=request.id,
        account=target.account,
        repository=target.repository,
        exists=target.exists,
        is_public=target.is_public,
        contents=target.contents,
        files=tuple(OutgoingFile(file.name, file.size_bytes) for file in files),
    )


def _publish(request: Publish, conversion: Conversion, hub: Hub) -> Iterator[UploadEvent | Waiting]:
    _check_license(request.card, is_public=request.is_public)
    target = inspect_target(request.repository, conversion.note, hub, is_public=request.is_public)
    if target.contents == "another model" and not request.updates:
        raise NameTaken(
            f"{request.repository} contains another model. Choose another name, or choose to replace that model."
        )
    message = f"Publish {conversion.model.path.name} with Facet"
    yield from upload(request.id, collect(conversion, request.card), target, hub, message=message)


def _check_license(card: str, *, is_public: bool) -> None:
    """Raise an error if the license named on the card does not allow publishing."""
    license_warning(license_of(card), is_public=is_public)


def measurements(model: Path) -> Iterator[Measurement]:
    """Yield the card's rows for the latest measurements of the model, one set per corpus and cache precision."""
    root = Folders.from_environment().measurements
    seen: set[tuple[str, int]] = set()
    for result in fidelity_of(model, root):
        if (result.corpus, result.cache_bits) not in seen and not result.private:
            seen.add((result.corpus, result.cache_bits))
            yield from map(_measurement, of_fidelity(result))
    if speed := speed_of(model, root):
        yield from map(_measurement, of_speed(speed))


def _measurement(line: MeasurementLine) -> Measurement:
    return Measurement(line.name, line.value, line.method)
