"""Uploads files to the Hub as one commit: first missing large files to its storage, then the commit with all files.

Large files use git-lfs over HTTP, which can report progress and be stopped. hf-xet ignores the offline switch, and the
library's git-lfs has no timeouts and reports no waits (decision 0016). A stopped upload can be resumed: files in the
storage are not sent again, and nothing is visible in the repository before the commit.
"""

import base64
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import msgspec
from huggingface_hub import constants

from mlx_engine.errors import HubError
from mlx_engine.hub_messages import FileProgress, Waiting
from mlx_engine.models.hub import write_api
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.download import INTERVAL_S, raise_first
from mlx_engine.models.hub.file_download import RetryPolicy
from mlx_engine.models.hub.file_upload import FileUpload
from mlx_engine.models.hub.target import Target
from mlx_engine.models.hub.transfer_rate import TransferRate
from mlx_engine.models.hub.upload_messages import Published, PublishPlanned, PublishProgress
from mlx_engine.models.hub.upload_source import UploadSource

CONCURRENT_FILES = 2
_BATCH = 100
"""Files per request for upload actions."""

Step = PublishPlanned | PublishProgress | Waiting | Published


@dataclass(frozen=True, slots=True)
class _Plan:
    """The files by kind of storage, and the `stale` files of an earlier model to delete."""

    large: Sequence[UploadSource]
    plain: Sequence[UploadSource]
    stale: Sequence[str]

    @property
    def files(self) -> list[UploadSource]:
        return [*self.large, *self.plain]

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def is_published(self, file: UploadSource, target: Target) -> bool:
        """Return whether the repository already has exactly this file."""
        digest = target.digests.get(file.name)
        return digest is not None and digest == (file.sha256 if file in self.large else file.git_id)


def upload(
    id: str,
    files: Sequence[UploadSource],
    target: Target,
    hub: Hub,
    *,
    message: str,
    retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Iterator[Step]:
    """Yield the plan, the progress several times per second, and the result.

    Raises:
        HubError: the Hub cannot be reached, or refuses the upload.
        StorageError: a file cannot be read, or has changed.
    """
    if not target.exists:
        _create(target, hub)
    plan = _plan(files, target, hub)
    changed = [file for file in plan.files if not plan.is_published(file, target)]
    actions = _request_actions([file for file in plan.large if file in changed], target, hub)
    missing = [file for file in changed if file in plan.plain or file.sha256 in actions]
    missing_bytes = sum(file.size_bytes for file in missing)
    yield PublishPlanned(
        id=id,
        repository=target.repository,
        files=tuple(
            FileProgress(file.name, 0 if file in missing else file.size_bytes, file.size_bytes) for file in files
        ),
        total_bytes=plan.total_bytes,
        missing_bytes=missing_bytes,
    )
    waits: SimpleQueue[Waiting] = SimpleQueue()

    def on_wait(seconds: float, reason: str) -> None:
        waits.put(Waiting(id, seconds, reason))

    file_uploads = [
        FileUpload(hub, target.repository, file, actions[file.sha256], on_wait=on_wait, retries=retries)
        for file in missing
        if file in plan.large
    ]
    for rate, running in _send_all(file_uploads, plan.total_bytes - missing_bytes):
        while not waits.empty():
            yield waits.get()
        yield _progress(id, plan.total_bytes, rate, running)
    commit = _commit(changed, plan, target, hub, message) if changed or plan.stale else target.commit
    yield Published(
        id=id,
        repository=target.repository,
        commit=commit,
        address=f"{constants.ENDPOINT}/{target.repository}",
        size_bytes=plan.total_bytes,
    )


def _create(target: Target, hub: Hub) -> None:
    owner, _, name = target.repository.partition("/")
    content = {
        "name": name,
        "organization": None if owner == target.account else owner,
        "type": "model",
        "visibility": "public" if target.is_public else "private",
    }
    with write_api.translate_errors(hub, target.repository):
        write_api.post(hub, "/api/repos/create", json=content)


def _plan(files: Sequence[UploadSource], target: Target, hub: Hub) -> _Plan:
    """Plan the upload; the Hub decides which files belong in large-file storage."""
    samples = [
        {"path": file.name, "sample": base64.b64encode(file.sample).decode(), "size": file.size_bytes} for file in files
    ]
    with write_api.translate_errors(hub, target.repository):
        answer = write_api.post(hub, f"/api/models/{target.repository}/preupload/main", json={"files": samples}).json()
        modes = {entry["path"]: entry["uploadMode"] for entry in answer["files"]}
        large = [file for file in files if modes[file.name] == "lfs" and file.size_bytes]
    names = {file.name for file in files}
    stale = sorted(name for name in target.digests if _is_weights_file(name) and name not in names)
    return _Plan(large, [file for file in files if file not in large], stale)


def _is_weights_file(name: str) -> bool:
    return "/" not in name and name.endswith((".safetensors", ".safetensors.index.json"))


def _request_actions(files: Sequence[UploadSource], target: Target, hub: Hub) -> dict[str, Mapping[str, Any]]:
    """Return the upload actions for the files that are missing from the storage, by SHA-256."""
    actions: dict[str, Mapping[str, Any]] = {}
    url = f"{constants.ENDPOINT}/{target.repository}.git/info/lfs/objects/batch"
    for start in range(0, len(files), _BATCH):
        content = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [{"oid": file.sha256, "size": file.size_bytes} for file in files[start : start + _BATCH]],
            "hash_algo": "sha256",
        }
        with write_api.translate_errors(hub, target.repository):
            answer = write_api.post_lfs(hub, url, content).json()
            for entry in answer["objects"]:
                if "error" in entry:
                    raise HubError(f"The Hub refused a file of the model: {str(entry['error']['message'])[:200]}.")
                if file_actions := entry.get("actions"):
                    actions[entry["oid"]] = file_actions
    return actions


def _send_all(
    file_uploads: Sequence[FileUpload], existing_bytes: int
) -> Iterator[tuple[TransferRate, list[FileUpload]]]:
    """Run all uploads; yield the rate and the running uploads several times per second."""
    rate = TransferRate(time.monotonic(), existing_bytes)
    stop = threading.Event()
    with ThreadPoolExecutor(CONCURRENT_FILES) as threads:
        futures = {threads.submit(file_upload.run, stop): file_upload for file_upload in file_uploads}
        try:
            unfinished = set(futures)
            while unfinished:
                finished, unfinished = wait(unfinished, INTERVAL_S, FIRST_EXCEPTION)
                raise_first(finished)
                rate = rate.after(
                    time.monotonic(), existing_bytes + sum(file_upload.done_bytes for file_upload in file_uploads)
                )
                yield rate, [file_upload for future, file_upload in futures.items() if future.running()]
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def _progress(id: str, total_bytes: int, rate: TransferRate, running: Sequence[FileUpload]) -> PublishProgress:
    return PublishProgress(
        id=id,
        done_bytes=rate.done_bytes,
        total_bytes=total_bytes,
        bytes_per_s=rate.bytes_per_s,
        remaining_s=rate.remaining_s(total_bytes),
        files=tuple(
            FileProgress(file_upload.file.name, file_upload.done_bytes, file_upload.file.size_bytes)
            for file_upload in running
        ),
    )


def _commit(changed: Sequence[UploadSource], plan: _Plan, target: Target, hub: Hub, message: str) -> str:
    """Commit all files to the repository at once; return the id of the commit."""
    for file in plan.files:
        file.check_unchanged()
    header = {"summary": message, "description": ""}
    if target.commit:
        header["parentCommit"] = target.commit
    lines: list[dict[str, Any]] = [{"key": "header", "value": header}]
    for file in changed:
        if file in plan.large:
            value = {"path": file.name, "algo": "sha256", "oid": file.sha256, "size": file.size_bytes}
            lines.append({"key": "lfsFile", "value": value})
        else:
            content = base64.b64encode(file.read()).decode()
            lines.append({"key": "file", "value": {"path": file.name, "content": content, "encoding": "base64"}})
    lines += [{"key": "deletedFile", "value": {"path": name}} for name in plan.stale]
    body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    with write_api.translate_errors(hub, target.repository):
        answer = write_api.post(hub, f"/api/models/{target.repository}/commit/main", lines=body).json()
        return str(answer["commitOid"])
