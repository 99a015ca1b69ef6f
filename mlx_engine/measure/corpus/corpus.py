"""Loads the texts that models are measured on: Facet's built-in corpus, a file, a data set, or pasted text.

It does not tokenize; see `sample.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.corpus.text_file import read_text
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.results.results import PASTED_TEXT
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.models.hub.datasets import find_local, parse_dataset
from mlx_engine.protocol import ChatMessage

BUILTIN = "facet"
"""Name of Facet's built-in corpus."""

_MAX_KINDS = 64
"""More could not be read in a table of results by kind."""
_MAX_KIND_LENGTH = 60
"""Characters in the name of a kind."""


class CorpusText(msgspec.Struct, frozen=True):
    """One text, or one conversation if `messages` is not empty. Results are split by `kind`."""

    kind: str
    name: str
    text: str = ""
    messages: tuple[ChatMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts in a fixed order."""

    name: str
    texts: tuple[CorpusText, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The distinct kinds, in order."""
        return tuple(dict.fromkeys(text.kind for text in self.texts))


class _Line(msgspec.Struct, frozen=True):
    """A line of a JSONL file: a text or a conversation. Other fields are ignored."""

    text: str = ""
    messages: tuple[ChatMessage, ...] = ()
    kind: str = ""


def load_corpus(source: CorpusSource, datasets: Path) -> Corpus:
    """Return the corpus that `source` selects; `datasets` is the folder of downloaded data sets.

    Raises:
        BadCorpus: it is empty or cannot be read.
    """
    if source.text:
        return Corpus(PASTED_TEXT, (CorpusText("text", "text", source.text),))
    if source.dataset:
        return read_dataset(source.dataset, datasets)
    return read_corpus(Path(source.path)) if source.path else builtin_corpus(kinds=source.kinds)


def builtin_corpus(*, kinds: tuple[str, ...] = ()) -> Corpus:
    """Return Facet's built-in corpus, or only the given kinds of it.

    Raises:
        BadCorpus: it has no such kind.
    """
    root = resources.files("resources") / "corpus"
    available = sorted(folder.name for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
    if unknown := sorted(set(kinds) - set(available)):
        raise BadCorpus(f"Facet's corpus has no part {unknown[0]!r}. Its parts are {', '.join(available)}.")
    texts = tuple(text for kind in kinds or available for text in _texts(root / kind, kind))
    return Corpus(f"{BUILTIN}:{'+'.join(kinds)}" if kinds else BUILTIN, texts)


def _texts(folder: Traversable, kind: str) -> Iterator[CorpusText]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".jsonl"):
            yield from _lines(file.read_text(encoding="utf-8"), file.name, kind)
        elif file.is_file():
            yield CorpusText(kind, file.name, file.read_text(encoding="utf-8"))


def read_corpus(path: Path) -> Corpus:
    """Return the corpus in the file `path`: JSONL with one text or conversation per line, or plain text.

    Only the start of a very large file is read.

    Raises:
        BadCorpus: it cannot be read, is empty, or is not text.
    """
    return _file_corpus(path, one_line(path.name))


def read_dataset(name: str, root: Path) -> Corpus:
    """Return the corpus of a data set that was downloaded to `root`, named after the data set and its commit.

    Raises:
        BadCorpus: it was not downloaded, or cannot be read.
    """
    entry = find_local(parse_dataset(name), root)
    if entry is None:
        raise BadCorpus(f"{name} was deleted from this Mac. Start again to download it from the Hub.")
    downloaded, path = entry
    try:
        return _file_corpus(path, str(downloaded), kind=downloaded.name.rpartition("/")[2], member=downloaded.member)
    except BadCorpus as error:
        raise BadCorpus(f"{error.message} It was downloaded to {path}.") from error


def _file_corpus(path: Path, name: str, *, kind: str = "", member: str = "") -> Corpus:
    inner = Path(member or path)
    is_jsonl = inner.suffix.lower() in (".jsonl", ".ndjson")
    text = read_text(path, member=member, whole_lines=is_jsonl)
    kind = kind or one_line(inner.stem, _MAX_KIND_LENGTH)
    texts = tuple(_lines(text, inner.name, kind)) if is_jsonl else (CorpusText(kind, inner.name, text),)
    corpus = Corpus(name, texts)
    if len(corpus.kinds) > _MAX_KINDS:
        raise BadCorpus(
            f"{inner.name} has {len(corpus.kinds):,} kinds of texts, and results are split by kind. Use at most "
            f'{_MAX_KINDS}, or omit "kind".'
        )
    return corpus


def _lines(content: str, name: str, kind: str) -> Iterator[CorpusText]:
    decoder = msgspec.json.Decoder(_Line)
    # `splitlines` would also split at the other Unicode line ends, which JSON allows inside a string.
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadCorpus(
                f'{name}, line {number}: {error}. Each line must be an object with "text" or "messages".'
            ) from error
        if not record.text.strip() and not any(message.content.strip() for message in record.messages):
            raise BadCorpus(f'{name}, line {number}: it has neither "text" nor "messages".')
        name_in_file = f"{name}:{number}"
        yield CorpusText(one_line(record.kind, _MAX_KIND_LENGTH) or kind, name_in_file, record.text, record.messages)
