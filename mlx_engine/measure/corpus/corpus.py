"""The texts that models are measured on: Facet's own, in parts that can be told apart, a file, or a data set.

It knows no tokens; `sample.py` makes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.corpus.text_file import read_text
from mlx_engine.measure.results.messages import CorpusChoice
from mlx_engine.measure.results.results import TYPED
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.models.hub.datasets import dataset, kept
from mlx_engine.protocol import ChatMessage

OWN = "facet"
"""The name of Facet's own corpus."""

_most_kinds = 64
"""By which results can be split, and still be read."""
_LONGEST_KIND = 60
"""Characters of what a person or a data set calls a kind."""


class Text(msgspec.Struct, frozen=True):
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


def corpus(choice: CorpusChoice, datasets: Path) -> Corpus:
    """Return the texts that were chosen; those of the Hub lie below `datasets`.

    Raises:
        BadCorpus: there are none, or they cannot be read.
    """
    if choice.text:
        return Corpus(TYPED, (Text("text", "text", choice.text),))
    if choice.dataset:
        return read_dataset(choice.dataset, datasets)
    return read_corpus(Path(choice.path)) if choice.path else own_corpus(kinds=choice.kinds)


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
    return _in_file(path, one_line(path.name))


def read_dataset(name: str, root: Path) -> Corpus:
    """Return the corpus in the text of a data set, which lies below `root` since it was fetched. Its name is the
    corpus's, with the commit.

    Raises:
        BadCorpus: it was not fetched, or cannot be read.
    """
    found = kept(dataset(name), root)
    if found is None:
        raise BadCorpus(f"{name} is not on this computer any more. Begin again, which fetches it from the Hub.")
    wanted, path = found
    try:
        return _in_file(path, str(wanted), kind=wanted.name.rpartition("/")[2], member=wanted.member)
    except BadCorpus as error:
        raise BadCorpus(f"{error.message} It was fetched to {path}.") from error


def _in_file(path: Path, name: str, *, kind: str = "", member: str = "") -> Corpus:
    inner = Path(member or path)
    has_lines = inner.suffix.lower() in (".jsonl", ".ndjson")
    text = read_text(path, member=member, whole_lines=has_lines)
    kind = kind or one_line(inner.stem, _LONGEST_KIND)
    corpus = Corpus(name, tuple(_lines(text, inner.name, kind)) if has_lines else (Text(kind, inner.name, text),))
    if len(corpus.kinds) > _most_kinds:
        raise BadCorpus(
            f"{inner.name} has {len(corpus.kinds):,} kinds of texts, and results are split by kind. Give {_most_kinds} "
            'at most, or leave "kind" out.'
        )
    return corpus


def _lines(content: str, name: str, kind: str) -> Iterator[Text]:
    decoder = msgspec.json.Decoder(_Line)
    # Not by `splitlines`: JSON may have the other ends of lines that Unicode knows within a string.
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadCorpus(
                f"{name}, line {number}: {error}. Each line is an object with a text or messages."
            ) from error
        if not record.text.strip() and not any(one.content.strip() for one in record.messages):
            raise BadCorpus(f'{name}, line {number}: it has neither "text" nor "messages".')
        yield Text(one_line(record.kind, _LONGEST_KIND) or kind, f"{name}:{number}", record.text, record.messages)
