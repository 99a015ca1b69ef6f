"""The content of a file to upload: a file on disk, or bytes in memory."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mlx_engine.errors import StorageError

_SAMPLE_BYTES = 512


@dataclass(slots=True, eq=False)
class UploadSource:
    """One file to upload; `content` is the path of a file, or bytes. The SHA-256 is computed on first use.

    Raises:
        StorageError: the file cannot be read.
    """

    name: str
    content: Path | bytes
    size_bytes: int = field(init=False)
    _stamp: tuple[int, int] = field(init=False)
    _sha256: str = field(init=False, default="")

    def __post_init__(self) -> None:
        with self._readable():
            self._stamp = self._stamp_now()
        self.size_bytes = self._stamp[0]

    @property
    def sample(self) -> bytes:
        """The first bytes, which the Hub uses to distinguish text from binary files."""
        with self.open() as file:
            return file.read(_SAMPLE_BYTES)

    @property
    def sha256(self) -> str:
        """The id in large-file storage, in hexadecimal digits."""
        if not self._sha256:
            with self.open() as file:
                self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed
        return self._sha256

    @property
    def git_id(self) -> str:
        """The id of the git object."""
        content = self.read()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def read(self) -> bytes:
        with self.open() as file:
            return file.read()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the content for reading."""
        with (
            self._readable(),
            io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb") as file,
        ):
            yield file

    def check_unchanged(self) -> None:
        """Check that the file has not changed since this object was created.

        Raises:
            StorageError: it has changed or no longer exists.
        """
        with self._readable():
            if self._stamp_now() != self._stamp:
                raise self.changed()

    def changed(self) -> StorageError:
        return StorageError(
            f"{self.name} has changed during the upload, so nothing was published. Try again when no other app is "
            "changing this model."
        )

    def _stamp_now(self) -> tuple[int, int]:
        if isinstance(self.content, bytes):
            return len(self.content), 0
        status = self.content.stat()
        return status.st_size, status.st_mtime_ns

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"Couldn't read {self.name} of the model: {error.strerror or error}.") from error
