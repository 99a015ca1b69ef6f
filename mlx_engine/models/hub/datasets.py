"""Names of texts in data sets on the Hub, and the paths of downloaded ones. It does not use the network.

A name is `hub:OWNER/NAME/path/of/the/file.txt`; the path can continue into a zip file. An optional `@REVISION` at the
end is a branch, a tag or a commit. Well-known texts have a short name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mlx_engine.errors import BadCorpus
from mlx_engine.models.hub.cache import CachedRevision
from mlx_engine.models.hub.files import is_commit, is_safe

NAMES: Mapping[str, str] = {
    # The text that llama.cpp uses to measure perplexity (scripts/get-wikitext-2.sh).
    "wikitext-2": "hub:ggml-org/ci/wikitext-2-raw-v1.zip/wikitext-2-raw/wiki.test.raw"
}
"""The full names of texts by short name."""

_prefix = "hub:"
_address = re.compile(r"([\w.-]+/[\w.-]+)/(.+)")
_revision = re.compile(r"[\w.-]+")
_unsupported = {
    ".parquet": "a Parquet file",
    ".arrow": "an Arrow file",
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z"), "a compressed file, but not a zip file"),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One text of a data set. `name` has no revision; `member` is its path in a zip file."""

    name: str
    repository: str
    """As in the Hub's URLs: "datasets/OWNER/NAME"."""
    file: str
    member: str = ""
    revision: str = "main"

    def __str__(self) -> str:
        """Return the full name with the revision, which `parse_dataset` reads."""
        return f"{self.name}@{self.revision}"

    def at(self, commit: str) -> "Dataset":
        return replace(self, revision=commit)

    def cached_revision(self, root: Path, commit: str) -> CachedRevision:
        """Return a commit of the data set below `root`, which need not exist."""
        return CachedRevision(root / self.repository.removeprefix("datasets/").replace("/", "--"), commit)


def is_dataset(name: str) -> bool:
    """Return whether `name` is intended as the name of a data set; it may be invalid."""
    return name.startswith(_prefix) or name.partition("@")[0] in NAMES


def parse_dataset(name: str) -> Dataset:
    """Return the data set with this name.

    Raises:
        BadCorpus: the name is invalid, or Facet does not read the file's format.
    """
    base_name, revision = _split(name)
    match = _address.fullmatch(NAMES.get(base_name, base_name).removeprefix(_prefix))
    if not is_dataset(name) or not match or not is_safe(match[2]):
        raise BadCorpus(
            f"{name!r} is not the name of a text on the Hub. Use hub:OWNER/NAME/path/of/the/file.txt, as on the "
            f"data set's Files page, or one of {', '.join(NAMES)}."
        )
    file, member = _split_zip_path(match[2])
    if kind := _unsupported.get(PurePosixPath(member or file).suffix.lower()):
        raise BadCorpus(
            f"{PurePosixPath(member or file).name} is {kind}, which Facet can't read. Choose a .txt, .jsonl or .zip "
            "file of the data set, or save its text to a file on this Mac and choose that."
        )
    if PurePosixPath(file).suffix.lower() == ".zip" and not member:
        raise BadCorpus(f"{file} contains several files. Add the path: {name.partition('@')[0]}/path/of/the/text.")
    return Dataset(base_name, f"datasets/{match[1]}", file, member, revision or "main")


def find_local(dataset: Dataset, root: Path) -> tuple[Dataset, Path] | None:
    """Return the data set with its commit, and its file below `root`; None if it is not downloaded."""
    commit = dataset.revision
    if not is_commit(commit):
        ref = dataset.cached_revision(root, "").repository_folder / "refs" / commit
        commit = ref.read_text(encoding="ascii", errors="replace").strip() if ref.is_file() else ""
    path = dataset.cached_revision(root, commit).folder / dataset.file
    return (dataset.at(commit), path) if is_commit(commit) and path.is_file() else None


def _split(name: str) -> tuple[str, str]:
    base_name, at, revision = name.rpartition("@")
    return (base_name, revision) if at and _revision.fullmatch(revision) else (name, "")


def _split_zip_path(path: str) -> tuple[str, str]:
    """Return the path of the file in the repository, and the path in it if it is a zip file."""
    parts = path.split("/")
    for number, part in enumerate(parts, 1):
        if part.lower().endswith(".zip"):
            return "/".join(parts[:number]), "/".join(parts[number:])
    return path, ""
