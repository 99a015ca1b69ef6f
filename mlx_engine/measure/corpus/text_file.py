"""Reads the beginning of a text from a file, or from a zip file, whatever is there in truth: never more than so many
bytes, and nothing that would wait for ever.
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

MOST_BYTES = 64_000_000
"""Of a text; more than any measurement on one machine reads to its end."""

_MOST_UNPACKED_BYTES = 1_000_000_000
"""Of a text in a zip file. One that claims more is none."""
_MOST_LISTED_BYTES = 10_000_000
"""Of the list of what is in a zip file; that of a hundred thousand files."""
_USUAL = "Give a .txt file, or a .jsonl file."
_two_byte_marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_damage = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError)


def read_text(path: Path, *, member: str = "", whole_lines: bool = False) -> str:
    """Return the text in the file `path`, or in its `member` where that is a zip file. Of a very large one it is the
    beginning, cut after a line where only `whole_lines` are of use.

    Raises:
        BadCorpus: it cannot be read, is no regular file, no text in UTF-8, or blank.
    """
    name = Path(member or path).name
    content = _bytes_of_member(path, member) if member else _bytes_of(path)
    if len(content) > MOST_BYTES and whole_lines:
        content = content[: content.rfind(b"\n") + 1]
        if not content:
            raise BadCorpus(f"The first line of {name} is longer than {format_disk(MOST_BYTES)}. Give shorter ones.")
    text = _decoded(content[:MOST_BYTES], name, is_cut=len(content) > MOST_BYTES)
    if not text.strip():
        raise BadCorpus(f"{name} is empty. Give a file with some thousand words in it.")
    return text


def _bytes_of(path: Path) -> bytes:
    try:
        with _open(path) as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # The latter where the name has a zero byte.
        raise _unreadable(path, error) from error


def _bytes_of_member(path: Path, member: str) -> bytes:
    try:
        with _open(path) as file:
            _require_short_list(file, path.name)
            with zipfile.ZipFile(file) as archive, archive.open(_member(archive, member, path.name)) as text:
                return text.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    except _damage as error:
        raise BadCorpus(
            f"{path.name} is no zip file that can be read: it is damaged or locked by a password."
        ) from error


def _require_short_list(file: BinaryIO, name: str) -> None:
    """Refuse a zip file whose list of contents would fill the memory: `zipfile` reads all of it. The record of its end
    says how long that is; a large one stands elsewhere, where a locator points to (APPNOTE.TXT 4.3.15 and 4.3.16).
    """
    file.seek(max(file.seek(0, os.SEEK_END) - 2**16 - 42, 0))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    has_locator = tail[max(end - 20, 0) : max(end, 0)].startswith(b"PK\6\7")
    listed_bytes = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if has_locator or listed_bytes > _MOST_LISTED_BYTES:
        raise BadCorpus(f"{name} lists more files than a data set of texts has. Give another one, or the text itself.")


def _member(archive: zipfile.ZipFile, member: str, name: str) -> zipfile.ZipInfo:
    try:
        found = archive.getinfo(member)
    except KeyError as error:
        some = ", ".join([one for one in archive.namelist() if not one.endswith("/")][:5])
        raise BadCorpus(f"{name} has no {member!r} in it. It has {some or 'nothing'}.") from error
    if found.file_size > _MOST_UNPACKED_BYTES:
        raise BadCorpus(
            f"{member} in {name} claims to have {format_disk(found.file_size)} when it is unpacked, which is no "
            "text. Give another one."
        )
    return found


def _open(path: Path) -> BinaryIO:
    """Open a regular file. What is none, as a pipe, might wait for ever when it is opened."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise BadCorpus(f"{path.name or path} is no file but {kind}. {_USUAL}")
    return path.open("rb")


def _unreadable(path: Path, error: OSError | ValueError) -> BadCorpus:
    reason = error.strerror if isinstance(error, OSError) else error
    return BadCorpus(f"{path} cannot be read: {reason}.")


def _decoded(content: bytes, name: str, *, is_cut: bool) -> str:
    if content.startswith(_two_byte_marks):
        raise BadCorpus(f"{name} is a text in UTF-16. Save it in UTF-8 first, which every editor can.")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(content, final=not is_cut)
    except UnicodeDecodeError as error:
        raise BadCorpus(f"{name} is no text in UTF-8. {_USUAL}") from error
    if "\0" in text:
        raise BadCorpus(f"{name} is no text: it holds bytes that texts do not have. {_USUAL}")
    return text
