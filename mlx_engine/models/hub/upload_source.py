"""A file that is to be on the Hub: one on the disk as it is, or what was written for it."""

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
    """`content` is the path of a file, or the bytes. The SHA-256 is found when it is first asked for.

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
        """The first bytes, by which the Hub tells text from what is not."""
        with self.open() as file:
            return file.read(_SAMPLE_BYTES)

    @property
    def sha256(self) -> str:
        """What large-file storage calls it, in hexadecimal digits."""
        if not self._sha256:
            with self.open() as file:
                self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed
        return self._sha256

    @property
    def git_id(self) -> str:
        """What git calls it."""
        content = self.read()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def read(self) -> bytes:
        with self.open() as file:
            return file.read()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give the content to read from; it is closed in the end."""
        with (
            self._readable(),
            io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb") as file,
        ):
            yield file

    def check_unchanged(self) -> None:
        """See that the file is the one that it was at first.

        Raises:
            StorageError: it is another, or gone.
        """
        with self._readable():
            if self._stamp_now() != self._stamp:
                raise self.changed()

    def changed(self) -> StorageError:
        return StorageError(
            f"{self.name} has changed while it was being sent, so nothing was published. Try again when nothing else "
            "works on this model."
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
            raise StorageError(f"{self.name} of the model cannot be read: {error.strerror or error}.") from error
