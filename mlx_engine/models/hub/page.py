"""The page of a repository: its card, files, configuration, and the evaluations stated on the card."""

import math
from collections.abc import Iterator

from huggingface_hub import get_session, hf_raise_for_status
from huggingface_hub.hf_api import ModelInfo

from mlx_engine.errors import UnsupportedModel
from mlx_engine.hub_messages import Evaluation, ModelPage, ReadModel
from mlx_engine.models.description.card import without_metadata
from mlx_engine.models.hub.client import REQUEST_TIMEOUT, Hub, Listing
from mlx_engine.models.hub.files import select
from mlx_engine.models.hub.search import variant_of

LONGEST_TEXT_BYTES = 1_000_000
"""Limit for a card or a configuration."""


def read_page(request: ReadModel, hub: Hub) -> ModelPage:
    """Return the page of `request.repository`.

    Raises:
        HubError: the repository or revision does not exist, or the Hub cannot be reached.
        UnsafeRepository: its file names are not safe.
    """
    listing = hub.list_files(request.repository, request.revision)
    try:
        needed = sum(file.size_bytes for file in select(listing.files))
    except UnsupportedModel:
        needed = 0
    with hub.translate_errors(request.repository):
        variant, evaluations = variant_of(listing.info), tuple(_evaluations(listing.info))
    return ModelPage(
        id=request.id,
        variant=variant,
        commit=listing.commit,
        card=without_metadata(_text("README.md", listing, hub)),
        files=listing.files,
        needed_bytes=needed,
        evaluations=evaluations,
        configuration=_text("config.json", listing, hub),
    )


def _text(name: str, listing: Listing, hub: Hub) -> str:
    """Return the text of a file, truncated if it is very long; "" if it does not exist or requires signing in."""
    if not any(file.name == name for file in listing.files):
        return ""
    url = hub.file_url(listing.repository, listing.commit, name)
    text = b""
    with (
        hub.translate_errors(listing.repository, listing.commit),
        get_session().stream("GET", url, headers=hub.headers(), timeout=REQUEST_TIMEOUT) as response,
    ):
        if response.status_code in (401, 403):
            return ""
        hf_raise_for_status(response)
        for block in response.iter_raw():
            text += block
            if len(text) > LONGEST_TEXT_BYTES:
                break
    return text[:LONGEST_TEXT_BYTES].decode("utf-8", "replace")


def _evaluations(info: ModelInfo) -> Iterator[Evaluation]:
    """Yield the results that are numbers; the card is written by hand, so it can contain anything."""
    for result in (info.card_data.eval_results if info.card_data else None) or ():
        value = result.metric_value
        if isinstance(value, int | float) and math.isfinite(value):
            metric = result.metric_name or result.metric_type
            yield Evaluation(str(result.dataset_name), str(metric), float(value))
