"""Writes a model on the Hub as a folder that can be described before its weights are downloaded.

Small files are complete and verified. Weight files are sparse: they have only their headers.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.download import CONCURRENT_FILES, DownloadPlan
from mlx_engine.models.hub.file_download import FileDownload, RetryPolicy
from mlx_engine.models.hub.remote_header import write_sparse_copy


def write_skeleton(
    hub: Hub, repository: str, plan: DownloadPlan, folder: Path, *, on_wait: Callable[[float, str], None]
) -> None:
    """Write the skeleton to the new `folder`. Small files are downloaded to the cache and copied.

    Raises:
        HubError: the Hub cannot be reached, refuses, or sent content that differs from its listing.
        BrokenModel: a weight file has no header.
        StorageError: the disk is full, or cannot be written.
    """
    stop = threading.Event()

    def write(file: RemoteFile) -> None:
        if is_weights(file):
            write_sparse_copy(hub, repository, plan.revision.commit, file, folder / file.name)
        else:
            FileDownload(hub, repository, file, plan.revision, on_wait=on_wait, retries=RetryPolicy()).run(stop)
            shutil.copyfile(plan.revision.contents(file), folder / file.name)

    with storage_errors(folder), ThreadPoolExecutor(CONCURRENT_FILES) as threads:
        folder.mkdir(parents=True)
        try:
            list(threads.map(write, plan.files))
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def is_weights(file: RemoteFile) -> bool:
    return file.name.endswith(".safetensors")
