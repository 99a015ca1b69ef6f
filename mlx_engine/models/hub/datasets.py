"""What texts of data sets on the Hub are called, and where those lie that were fetched. It knows no network.

A text is called `hub:OWNER/NAME/path/of/the/file.txt`; the path may lead on into a zip file. `@REVISION` behind it
names a branch, a tag or a commit. The best known have a name of Facet's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlx_engine.errors import BadCorpus
from mlx_engine.models.hub.cache import CachedRevision
from mlx_engine.models.hub.files import is_commit, is_safe

NAMES: Mapping[str, str] = {
    # What llama.cpp measures its perplexities on (scripts/get-wikitext-2.sh).
    "wikitext-2": "hub:ggml-org/ci/wikitext-2-raw-v1.zip/wikitext-2-raw/wiki.test.raw"
}
"""Facet's own names, and what they stand for."""

_prefix = "hub:"
_address = re.compile(r"([\w.-]+/[\w.-]+)/(.+)")
_revision = re.compile(r"[\w.-]+")
_unread = {
    ".parquet": "a Parquet file",
    ".arrow": "an Arrow file",
    **dict.fromkeys(
        (".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z"), "compressed in a way that is not a zip file"
    ),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One text of a data set. `name` is what it is called without the revision; `member` names it within a zip file."""

    name: str
    repository: str
    """As in the Hub's addresses: "datasets/OWNER/NAME"."""
    file: str
    member: str = ""
    revision: str = "main"

    def __str__(self) -> str:
        """Return the whole name, by which the same text is found again."""
        return f"{self.name}@{self.revision}"

    def at(self, commit: str) -> "Dataset":
        return replace(self, revision=commit)

    def cached_revision(self, root: Path, commit: str) -> CachedRevision:
        """Return where a commit of the data set lies below `root`, be it there or not."""
        return CachedRevision(root / self.repository.removeprefix("datasets/").replace("/", "--"), commit)


def is_dataset(name: str) -> bool:
    """Tell whether `name` is meant for a data set, rightly written or not."""
    return name.startswith(_prefix) or name.partition("@")[0] in NAMES


def parse_dataset(name: str) -> Dataset:
    """Return the data set of that name.

    Raises:
        BadCorpus: the name is none, or that of a file that Facet does not read.
    """
    bare, revision = _split(name)
    found = _address.fullmatch(NAMES.get(bare, bare).removeprefix(_prefix))
    if not is_dataset(name) or not found or not is_safe(found[2]):
        raise BadCorpus(
            f"{name!r} names no text of a data set. Write hub:OWNER/NAME/path/of/the/file.txt as on the Hub's page "
            f"of its files, or one of: {', '.join(NAMES)}."
        )
    file, member = _through_zip(found[2])
    if kind := _unread.get(PurePosixPath(member or file).suffix.lower()):
        raise BadCorpus(
            f"{PurePosixPath(member or file).name} is {kind}, which Facet does not read. Give a .txt, .jsonl or .zip "
            "file of the data set, or write its text into a file of your own and give that."
        )
    if PurePosixPath(file).suffix.lower() == ".zip" and not member:
        raise BadCorpus(
            f"{file} holds several files. Write behind it which: {name.partition('@')[0]}/path/of/the/text."
        )
    return Dataset(bare, f"datasets/{found[1]}", file, member, revision or "main")


def find_local(wanted: Dataset, root: Path) -> tuple[Dataset, Path] | None:
    """Return the file of the data set below `root`, and which commit it is of; None if it was not fetched."""
    commit = wanted.revision
    if not is_commit(commit):
        ref = wanted.cached_revision(root, "").repository_folder / "refs" / commit
        commit = ref.read_text(encoding="ascii", errors="replace").strip() if ref.is_file() else ""
    path = wanted.cached_revision(root, commit).folder / wanted.file
    return (wanted.at(commit), path) if is_commit(commit) and path.is_file() else None


def _split(name: str) -> tuple[str, str]:
    bare, at, revision = name.rpartition("@")
    return (bare, revision) if at and _revision.fullmatch(revision) else (name, "")


def _through_zip(path: str) -> tuple[str, str]:
    """Return the path of a file of the repository, and what comes behind it where it is a zip file."""
    parts = path.split("/")
    for number, part in enumerate(parts, 1):
        if part.lower().endswith(".zip"):
            return "/".join(parts[:number]), "/".join(parts[number:])
    return path, ""
