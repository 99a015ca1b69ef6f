"""Which files of a repository are wanted, and whether their names can be trusted. Pure.

A model needs its weights as safetensors, its configuration, its tokenizer and its chat template; the card and the
license come along. Pickles and code are never downloaded, whoever asks for them: both can run any program.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from mlx_engine.errors import HubNotFound, UnsafeRepository, UnsupportedModel
from mlx_engine.hub_messages import RemoteFile

_weights = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
COMPANIONS = (
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.tiktoken",
    "*.jinja",
    "chat_template.json",
)
"""What a model needs beside its weights, as patterns of names: configuration, tokenizer, chat template."""
_needed = (
    *COMPANIONS,
    "README.md",
    "LICENSE*",
    "LICENCE*",
    "NOTICE*",
)
_dangerous = frozenset(
    {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".py", ".sh", ".so", ".dylib", ".dll", ".exe"}
)
_digest = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_commit = re.compile(r"[0-9a-f]{40}")


def select(files: Sequence[RemoteFile], include: Sequence[str] = ()) -> list[RemoteFile]:
    """Return the files to download: those that match a pattern of `include`, or without any those a model needs.

    Raises:
        UnsafeRepository: the name of a file, wanted or not, could lead out of the folder.
        HubNotFound: no file matches `include`.
        UnsupportedModel: there is nothing that Facet could run.
    """
    check_names(file.name for file in files)
    harmless = [file for file in files if PurePosixPath(file.name).suffix.lower() not in _dangerous]
    chosen = _matching(harmless, include) if include else _runnable(harmless, files)
    for file in chosen:
        if not is_digest(file.digest) or file.size_bytes < 0:
            raise UnsafeRepository(f"The Hub describes {file.name!r} in a way that cannot be right.")
    return chosen


def check_names(names: Iterable[str]) -> None:
    """Refuse names that could lead out of the folder that they are meant for, or that cannot be told apart from one.

    Raises:
        UnsafeRepository: there is such a name; nothing should be taken from this repository.
    """
    folders: set[str] = set()
    files: set[str] = set()
    for name in names:
        if not is_safe(name):
            raise UnsafeRepository(f"It has a file called {name!r}, which could be written outside its folder.")
        files.add(name)
        folders.update(str(parent) for parent in PurePosixPath(name).parents)
    if both := files & folders:
        raise UnsafeRepository(f"It has a file and a folder that are both called {min(both)!r}.")


def is_safe(name: str) -> bool:
    """Tell whether `name` is a plain path downwards, of a length that file systems allow."""
    parts = name.split("/")
    return (
        not any(part in ("", ".", "..") or len(part.encode("utf-8", "replace")) > 255 for part in parts)
        and name.isprintable()
        and "\\" not in name
        and len(name) < 1000
    )


def is_digest(text: str) -> bool:
    """Tell whether it can be a SHA-256, or the id of a git object."""
    return _digest.fullmatch(text) is not None


def is_commit(revision: str) -> bool:
    return _commit.fullmatch(revision) is not None


def _matching(files: Sequence[RemoteFile], patterns: Sequence[str]) -> list[RemoteFile]:
    chosen = [file for file in files if any(fnmatchcase(file.name, pattern) for pattern in patterns)]
    if not chosen:
        raise HubNotFound(
            f"No file matches {' or '.join(patterns)}, pickles and programs aside, which Facet never downloads."
        )
    return chosen


def _runnable(harmless: Sequence[RemoteFile], files: Sequence[RemoteFile]) -> list[RemoteFile]:
    top = [file for file in harmless if "/" not in file.name]
    weights = [file for file in top if _weights.fullmatch(file.name)]
    if not weights:
        # Older conversions call their weights otherwise.
        weights = [file for file in top if file.name.endswith(".safetensors")]
    if not weights:
        raise UnsupportedModel(_why_not(files))
    return weights + [file for file in top if any(fnmatchcase(file.name, pattern) for pattern in _needed)]


def _why_not(files: Sequence[RemoteFile]) -> str:
    if found := sorted(file.name for file in files if file.name.lower().endswith(".gguf")):
        some = ", ".join(found[:4]) + (", …" if len(found) > 4 else "")
        return f"This repository holds GGUF files ({some}). Choose one by --include, then import it."
    if any(PurePosixPath(file.name).suffix.lower() in (".bin", ".pt", ".pth") for file in files):
        return (
            "Its weights are Python pickles, which can run any program when they are opened, so Facet does not "
            "download them. Look for the same model as safetensors."
        )
    return "This repository holds no weights as safetensors files."
