"""The texts that models are measured on: Facet's own, in parts that can be told apart, or a file of the person's.

It knows no tokens; `sample.py` makes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from mlx_engine.errors import BadCorpus
from mlx_engine.protocol import ChatMessage

OWN = "facet"
"""The name of Facet's own corpus."""

_most_bytes = 64_000_000
"""Of a file; more text than any measurement on one machine reads to its end."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text, or one conversation where `messages` has any. `kind` is what results are split by."""

    kind: str
    name: str
    text: str = ""
    messages: tuple[ChatMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts in a fixed order."""

    name: str
    texts: tuple[Text, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that occur, in order."""
        return tuple(dict.fromkeys(text.kind for text in self.texts))


class _Line(msgspec.Struct, frozen=True):
    """A line of a JSONL file: a text or a conversation; other fields are passed over."""

    text: str = ""
    messages: tuple[ChatMessage, ...] = ()
    kind: str = ""


def own_corpus(*, kinds: tuple[str, ...] = ()) -> Corpus:
    """Return Facet's own corpus, or those of its kinds that are named.

    Raises:
        BadCorpus: there is no such kind.
    """
    root = resources.files("resources") / "corpus"
    there = sorted(folder.name for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
    if unknown := sorted(set(kinds) - set(there)):
        raise BadCorpus(f"Facet's corpus has no part {unknown[0]!r}. It has {', '.join(there)}.")
    texts = tuple(text for kind in kinds or there for text in _texts(root / kind, kind))
    return Corpus(f"{OWN}:{'+'.join(kinds)}" if kinds else OWN, texts)


def _texts(folder: Traversable, kind: str) -> Iterator[Text]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".jsonl"):
            yield from _lines(file.read_text(encoding="utf-8"), file.name, kind)
        elif file.is_file():
            yield Text(kind, file.name, file.read_text(encoding="utf-8"))


def read_corpus(path: Path) -> Corpus:
    """Return the corpus in the file `path`: JSONL, one text or conversation a line, or else plain text.

    Of a very large file, the beginning is read.

    Raises:
        BadCorpus: it cannot be read, is empty, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_most_bytes + 1)
    except OSError as error:
        raise BadCorpus(f"{path} cannot be read: {error.strerror}.") from error
    text = _decoded(content, path.name)
    if not text.strip():
        raise BadCorpus(f"{path.name} is empty. Give a file with some thousand words in it.")
    is_lines = path.suffix == ".jsonl"
    texts = tuple(_lines(text, path.name, path.stem)) if is_lines else (Text(path.stem, path.name, text),)
    return Corpus(path.name, texts)


def _decoded(content: bytes, name: str) -> str:
    try:
        if len(content) > _most_bytes:
            # What is cut off is a whole line, so that no character and no record is torn.
            content = content[: content.rindex(b"\n") + 1]
        text = content.decode()
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadCorpus(f"{name} is no text in UTF-8. Give a .txt file, or a .jsonl file.") from error
    if "\0" in text:
        raise BadCorpus(
            f"{name} is no text: it holds bytes that texts do not have. Give a .txt file, or a .jsonl file."
        )
    return text


def _lines(content: str, name: str, kind: str) -> Iterator[Text]:
    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadCorpus(
                f"{name}, line {number}: {error}. Each line is an object with a text or messages."
            ) from error
        if not record.text.strip() and not record.messages:
            raise BadCorpus(f'{name}, line {number}: it has neither "text" nor "messages".')
        yield Text(record.kind or kind, f"{name}:{number}", record.text, record.messages)
