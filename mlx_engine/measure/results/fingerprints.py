"""Remembers the fingerprints of model folders, so that weights are read for it once, and never in the window.

A folder is known again while the names, sizes and times of its weight files and its configuration are the same.
"""

from pathlib import Path

import msgspec

from mlx_engine.errors import StorageError
from mlx_engine.models.files.fingerprint import fingerprint
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import in_use, storage_errors, write_whole


class _Known(msgspec.Struct, frozen=True):
    files: list[tuple[str, int, int]]
    """Name, size in bytes, time of the last change in nanoseconds."""
    sha256: str


class Fingerprints:
    """The fingerprints that the file `file` remembers."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, model: Path) -> str:
        """Return the fingerprint of the folder `model`, and remember it.

        Raises:
            BrokenModel: there are no weights.
            StorageError: a file cannot be read, or `file` not be written.
        """
        if known := self.remembered(model):
            return known
        files, found = _files(model), fingerprint(model)
        with storage_errors(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # Others may remember theirs at the same moment.
            with in_use(self._file.parent, alone=True):
                remembered = {**self._read(), str(model.resolve()): _Known(files, found)}
                write_whole(self._file, msgspec.json.encode(remembered))
        return found

    def remembered(self, model: Path) -> str:
        """Return the fingerprint of the folder `model` if it is known and nothing has changed since, or else ""."""
        known = self._read().get(str(model.resolve()))
        try:
            return known.sha256 if known and known.files == _files(model) else ""
        except StorageError:
            return ""

    def _read(self) -> dict[str, _Known]:
        return read_value(self._file, dict[str, _Known]) or {}


def _files(model: Path) -> list[tuple[str, int, int]]:
    try:
        files = [(path.name, path.stat()) for path in sorted((*model.glob("*.safetensors"), model / "config.json"))]
    except OSError as error:
        raise StorageError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return [(name, status.st_size, status.st_mtime_ns) for name, status in files]
