"""Finds the SHA-256 of the source's weight files, in a thread of its own, while they are converted."""

import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mlx_engine.errors import StorageError

_slice_bytes = 2**20
_blob = re.compile(r"[0-9a-f]{64}")


class Digests:
    """Begins on entering and gives up on leaving. The files are open by then: nobody can take them away.

    The Hub's cache names large files by their digests, which downloads are held against. Every other file is read a
    second time: reading it once, for both, would tie the order of the work to the order of the files.

    Raises:
        StorageError: a file cannot be read.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digests")

    def __enter__(self) -> Self:
        opened = [(file, _open(file)) for file in self._files]
        self._future = self._pool.submit(lambda: {file.name: self._digest(file, stream) for file, stream in opened})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def result(self) -> dict[str, str]:
        """Wait for the digests, in hexadecimal digits by the files' names."""
        return self._future.result()

    def _digest(self, file: Path, stream: BinaryIO) -> str:
        named = file.resolve()
        if named.parent.name == "blobs" and _blob.fullmatch(named.name):
            stream.close()
            return named.name
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(_slice_bytes))
        try:
            with stream:
                while not self._stopped.is_set() and (count := stream.readinto(buffer)):  # type: ignore[attr-defined]
                    digest.update(buffer[:count])
        except OSError as error:
            raise StorageError(f"{file} cannot be read: {error.strerror}.") from error
        return digest.hexdigest()


class KnownDigests:
    """Digests that were found before, in the place of `Digests`."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = dict(digests)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def result(self) -> dict[str, str]:
        return self._digests


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb", buffering=0)
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror}.") from error
