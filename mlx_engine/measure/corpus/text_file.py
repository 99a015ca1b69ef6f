"""Reads the start of a text from a file or from a member of a zip file.

It reads a limited number of bytes and only from regular files, so it can neither fill the memory nor block forever.
"""

import codecs
import lzma
import os
import stat
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from mlx_engine.amounts import format_disk
from mlx_engine.errors import BadCorpus

MAX_BYTES = 64_000_000
"""Read from a text; more than a single Mac can measure in reasonable time."""

_MAX_UNPACKED_BYTES = 1_000_000_000
"""Size of a text in a zip file. A member that claims to be larger is not a text."""
_MAX_DIRECTORY_BYTES = 10_000_000
"""Size of a zip file's central directory; that of a hundred thousand files."""
_USUAL = "Use a .txt or .jsonl file."
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)


def read_text(path: Path, *, member: str = "", whole_lines: bool = False) -> str:
    """Return the text in the file `path`, or in its `member` if it is a zip file.

    A text longer than `MAX_BYTES` is cut, with `whole_lines` at the end of a line.

    Raises:
        BadCorpus: it cannot be read, is not a regular file, is not UTF-8 text, or is blank.
    """
    name = Path(member or path).name
    content = _read_member(path, member) if member else _read_file(path)
    if len(content) > MAX_BYTES and whole_lines:
        content = content[: content.rfind(b"\n") + 1]
        if not content:
            raise BadCorpus(f"The first line of {name} is longer than {format_disk(MAX_BYTES)}. Use shorter lines.")
    text = _decoded(content[:MAX_BYTES], name, is_cut=len(content) > MAX_BYTES)
    if not text.strip():
        raise BadCorpus(f"{name} is empty. Use a file with a few thousand words.")
    return text


def _read_file(path: Path) -> bytes:
    try:
        with _open(path) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the name contains a zero byte.
        raise _unreadable(path, error) from error


def _read_member(path: Path, member: str) -> bytes:
    try:
        with _open(path) as file:
            _require_small_directory(file, path.name)
            with zipfile.ZipFile(file) as archive, archive.open(_member(archive, member, path.name)) as text:
                return text.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    except _DAMAGE as error:
        raise BadCorpus(f"{path.name} is not a readable zip file: it is damaged or password-protected.") from error


def _require_small_directory(file: BinaryIO, name: str) -> None:
    """Reject a zip file whose central directory would fill the memory: `zipfile` reads all of it.

    The end record has the directory's size. A directory too large for it is announced by a ZIP64 locator
    (APPNOTE.TXT 4.3.15 and 4.3.16).
    """
    file.seek(max(file.seek(0, os.SEEK_END) - 2**16 - 42, 0))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    has_locator = tail[max(end - 20, 0) : max(end, 0)].startswith(b"PK\6\7")
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if has_locator or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise BadCorpus(f"{name} lists too many files for a text data set. Use another one, or the text file itself.")


def _member(archive: zipfile.ZipFile, member: str, name: str) -> zipfile.ZipInfo:
    try:
        entry = archive.getinfo(member)
    except KeyError as error:
        some = ", ".join([path for path in archive.namelist() if not path.endswith("/")][:5])
        raise BadCorpus(f"{name} does not contain {member!r}. It contains {some or 'nothing'}.") from error
    if entry.file_size > _MAX_UNPACKED_BYTES:
        raise BadCorpus(
            f"{member} in {name} claims to unpack to {format_disk(entry.file_size)}, too much for a text. Use "
            "another file."
        )
    return entry


def _open(path: Path) -> BinaryIO:
    """Open a regular file. Opening anything else, such as a pipe, could block forever."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise BadCorpus(f"{path.name or path} is {kind}, not a file. {_USUAL}")
    return path.open("rb")


def _unreadable(path: Path, error: OSError | ValueError) -> BadCorpus:
    reason = error.strerror if isinstance(error, OSError) else error
    return BadCorpus(f"Couldn't read {path}: {reason}.")


def _decoded(content: bytes, name: str, *, is_cut: bool) -> str:
    if content.startswith(_UTF16_MARKS):
        raise BadCorpus(f"{name} is UTF-16 text. Save it as UTF-8 first; every editor can.")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content, final=not is_cut)
    except UnicodeDecodeError as error:
        raise BadCorpus(f"{name} is not UTF-8 text. {_USUAL}") from error
    if "\0" in text:
        raise BadCorpus(f"{name} is not text: it contains zero bytes. {_USUAL}")
    return text
