"""Serves requests to the Hub: search, download, data sets, sign-in."""

from collections.abc import Iterator

from mlx_engine.folders import Folders
from mlx_engine.hub_messages import (
    Account,
    DatasetFetched,
    Download,
    FetchDataset,
    HubEvent,
    HubRequest,
    ReadModel,
    Search,
    SearchResults,
    SignIn,
    SignOut,
    WhoAmI,
)
from mlx_engine.measure.corpus.corpus import read_dataset
from mlx_engine.models.hub import access_token, page, search
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.download import download
from mlx_engine.models.hub.fetch import fetch_dataset


def serve(request: HubRequest) -> Iterator[HubEvent]:
    """Yield the events of one request.

    Raises:
        FacetError: the request failed.
    """
    match request:
        case SignIn():
            name = Hub(request.token).who_am_i()
            access_token.store(request.token)
            yield Account(request.id, name, "keychain")
            return
        case SignOut():
            access_token.remove()
    hub = current_hub()
    match request:
        case Download():
            yield from download(request, hub)
        case FetchDataset():
            yield from _fetch(request, hub)
        case Search():
            yield SearchResults(request.id, search.search(request.filters, hub))
        case ReadModel():
            yield page.read_page(request, hub)
        case SignOut() | WhoAmI():
            yield Account(request.id, hub.who_am_i() if hub.token else "", hub.source)


def _fetch(request: FetchDataset, hub: Hub) -> Iterator[HubEvent]:
    datasets = Folders.from_environment().datasets
    for event in fetch_dataset(request, hub, datasets):
        if isinstance(event, DatasetFetched):
            # A data set that cannot be read fails now rather than after a conversion.
            read_dataset(event.dataset, datasets)
        yield event


def current_hub() -> Hub:
    """Return a Hub client, signed in if there is an access token."""
    token, source = access_token.current()
    return Hub(token, source)
