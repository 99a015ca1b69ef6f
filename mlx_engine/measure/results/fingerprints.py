"""Caches the fingerprints of model folders, so that weights are read only once, and never by the window.

A cached fingerprint is valid while the names, sizes and modification times of the files are unchanged.
"""

from pathlib import Path

import msgspec

from mlx_engine.errors import StorageError
from mlx_engine.models.files.fingerprint import fingerprint
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import in_use, storage_errors, write_whole
from mlx_engine.models.files.weight_files import weight_files


class _Entry(msgspec.Struct, frozen=True):
    files: list[tuple[str, int, int]]
    """Name, size in bytes, modification time in nanoseconds."""
    sha256: str


class Fingerprints:
    """Fingerprints of model folders, cached in `file`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, model: Path) -> str:
        """Return the fingerprint of the folder `model`, computed if it is not cached.

        Raises:
            BrokenModel: it has no weights.
            StorageError: a file cannot be read, or `file` cannot be written.
        """
        if cached := self.cached(model):
            return cached
        files, sha256 = _files(model), fingerprint(model)
        with storage_errors(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Other processes may add theirs at the same time.
            with in_use(self._file.parent, alone=True):
                entries = {**self._read(), str(model.resolve()): _Entry(files, sha256)}
                write_whole(self._file, msgspec.json.encode(entries))
        return sha256

    def cached(self, model: Path) -> str:
        """Return the cached fingerprint of the folder `model`, "" if there is none or the folder has changed."""
        entry = self._read().get(str(model.resolve()))
        try:
            return entry.sha256 if entry and entry.files == _files(model) else ""
        except StorageError:
            return ""

    def _read(self) -> dict[str, _Entry]:
        return read_value(self._file, dict[str, _Entry]) or {}


def _files(model: Path) -> list[tuple[str, int, int]]:
    try:
        files = [(path.name, path.stat()) for path in sorted((*weight_files(model).files, model / "config.json"))]
    except OSError as error:
        raise StorageError(f"Couldn't read {error.filename}: {error.strerror}.") from error
    return [(name, status.st_size, status.st_mtime_ns) for name, status in files]
