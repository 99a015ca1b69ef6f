"""Tests of downloading files that the Hub serves in parts only, on a small scale."""

import os
import threading
from pathlib import Path

import pytest

from mlx_engine.errors import HubError
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.hub import client, file_download
from mlx_engine.models.hub.cache import CachedRevision
from tests.hub.faults import Cut, LimitRange
from tests.hub.fixtures import add_model, sha256
from tests.hub.server import Hub

MEGABYTE = 1 << 20


class SmallHub(client.Hub):
    """A client that uses the current HF_ENDPOINT; the library reads it on import, before this test."""

    def file_url(self, repository: str, commit: str, name: str) -> str:
        return f"{os.environ['HF_ENDPOINT']}/{repository}/resolve/{commit}/{name}"


@pytest.fixture
def weights(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> file_download.FileDownload:
    """The download of 2.5 MB with requests of at most 1 MB."""
    monkeypatch.setattr(file_download, "_LARGEST_REQUEST_BYTES", MEGABYTE)
    repository = add_model(hub, "transfer/huge", megabytes=2.5)
    file = repository.commits[repository.main]["model.safetensors"]
    return file_download.FileDownload(
        SmallHub(),
        repository.id,
        RemoteFile("model.safetensors", file.size, file.digest()),
        CachedRevision.of(tmp_path, repository.id, repository.main),
        on_wait=lambda seconds, reason: None,
        retries=file_download.RetryPolicy(tries=1, first_wait_s=0),
    )


def test_a_large_file_is_downloaded_in_parts(hub: Hub, weights: file_download.FileDownload, tmp_path: Path) -> None:
    """Each part is requested by its range. A dropped connection takes one more request."""
    hub.inject("/large/", LimitRange(MEGABYTE))
    hub.inject("/large/", Cut(after_bytes=MEGABYTE // 2))
    hub.inject("/large/", LimitRange(MEGABYTE), times=9)
    weights.run(threading.Event())
    (blob,) = tmp_path.rglob(weights.file.digest)
    assert sha256(blob) == weights.file.digest
    assert len(hub.requests_to("/large/")) == 3


def test_a_file_that_is_refused_even_in_parts_is_reported(hub: Hub, weights: file_download.FileDownload) -> None:
    """The error suggests another way to download it."""
    hub.inject("/large/", LimitRange(1000), times=9)
    with pytest.raises(HubError, match=r"model\.safetensors.*hf download transfer/huge"):
        weights.run(threading.Event())
