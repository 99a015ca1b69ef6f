"""SHA-256 of the source's weight files, computed in a separate thread during the conversion."""

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
    """Starts on entering and stops on leaving. All files are opened first, so that a removed file can still be read.

    The Hub's cache names large files by their digests, which downloads are checked against. Other files are read a
    second time: reading them only once would tie the order of the conversion to the order in the files.

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
        """Wait for the digests, hexadecimal, by file name."""
        return self._future.result()

    def _digest(self, file: Path, stream: BinaryIO) -> str:
        blob = file.resolve()
        if blob.parent.name == "blobs" and _blob.fullmatch(blob.name):
            stream.close()
            return blob.name
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(_slice_bytes))
        try:
            with stream:
                while not self._stopped.is_set() and (count := stream.readinto(buffer)):  # type: ignore[attr-defined]
                    digest.update(buffer[:count])
        except OSError as error:
            raise StorageError(f"Couldn't read {file}: {error.strerror}.") from error
        return digest.hexdigest()


class KnownDigests:
    """Digests that are already known, with the interface of `Digests`."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = dict(digests)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def result(self) -> dict[str, str]:
        return self._digests


def _open(file: Path) -> BinaryIO:
    try:
        return file.open("rb", buffering=0)
    except OSError as error:
        raise StorageError(f"Couldn't read {file}: {error.strerror}.") from error
