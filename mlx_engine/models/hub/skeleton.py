"""A model on the Hub as a folder that can be read like any other, before its weights are here.

Small files are whole and verified. Of the weight files only the headers are real: what follows are holes.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.download import AT_ONCE, Plan
from mlx_engine.models.hub.heads import write_outline
from mlx_engine.models.hub.transfer import Patience, Transfer


def write_skeleton(
    hub: Hub, repository: str, plan: Plan, folder: Path, *, on_wait: Callable[[float, str], None]
) -> None:
    """Write it into the new `folder`. The small files are brought to the place of the plan first.

    Raises:
        HubError: the Hub cannot be reached, refuses, or sent something else than it had listed.
        BrokenModel: a weight file has no header.
        StorageError: the disk is full, or cannot be written.
    """
    stop = threading.Event()

    def bring(file: RemoteFile) -> None:
        if is_weights(file):
            write_outline(hub, repository, plan.place.commit, file, folder / file.name)
        else:
            Transfer(hub, repository, file, plan.place, on_wait=on_wait, patience=Patience()).run(stop)
            shutil.copyfile(plan.place.contents(file), folder / file.name)

    with storage_errors(folder), ThreadPoolExecutor(AT_ONCE) as threads:
        folder.mkdir(parents=True)
        try:
            list(threads.map(bring, plan.files))
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def is_weights(file: RemoteFile) -> bool:
    return file.name.endswith(".safetensors")
