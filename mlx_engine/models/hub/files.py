"""Selects the files of a repository to download, and checks that their names are safe. Pure.

A model needs its weights as safetensors, its configuration, its tokenizer and its chat template; the card and the
license are included. Pickles and code are never downloaded, even on request: both can run any program.
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
"""Name patterns of the files that a model needs besides weights: configuration, tokenizer, chat template."""
_selected = (
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
    """Return the files to download: those that match a pattern of `include`; without patterns, those a model needs.

    Raises:
        UnsafeRepository: the name of any file, selected or not, could lead out of the folder.
        HubNotFound: no file matches `include`.
        UnsupportedModel: there is no model that Facet can run.
    """
    check_names(file.name for file in files)
    harmless = [file for file in files if PurePosixPath(file.name).suffix.lower() not in _dangerous]
    selection = _matching(harmless, include) if include else _runnable(harmless, files)
    for file in selection:
        if not is_digest(file.digest) or file.size_bytes < 0:
            raise UnsafeRepository(f"The Hub's description of {file.name!r} is not valid.")
    return selection


def check_names(names: Iterable[str]) -> None:
    """Refuse names that could lead out of their folder, and names of both a file and a folder.

    Raises:
        UnsafeRepository: a name is not safe; nothing from this repository should be used.
    """
    folders: set[str] = set()
    files: set[str] = set()
    for name in names:
        if not is_safe(name):
            raise UnsafeRepository(f"The file {name!r} could be written outside the model's folder.")
        files.add(name)
        folders.update(str(parent) for parent in PurePosixPath(name).parents)
    if both := files & folders:
        raise UnsafeRepository(f"A file and a folder are both called {min(both)!r}.")


def is_safe(name: str) -> bool:
    """Return whether `name` is a plain path below a folder, no longer than file systems allow."""
    parts = name.split("/")
    return (
        not any(part in ("", ".", "..") or len(part.encode("utf-8", "replace")) > 255 for part in parts)
        and name.isprintable()
        and "\\" not in name
        and len(name) < 1000
    )


def is_digest(text: str) -> bool:
    """Return whether `text` is a SHA-256 or the id of a git object."""
    return _digest.fullmatch(text) is not None


def is_commit(revision: str) -> bool:
    return _commit.fullmatch(revision) is not None


def _matching(files: Sequence[RemoteFile], patterns: Sequence[str]) -> list[RemoteFile]:
    matches = [file for file in files if any(fnmatchcase(file.name, pattern) for pattern in patterns)]
    if not matches:
        raise HubNotFound(f"No file matches {' or '.join(patterns)}. Facet never downloads pickles or programs.")
    return matches


def _runnable(harmless: Sequence[RemoteFile], files: Sequence[RemoteFile]) -> list[RemoteFile]:
    top = [file for file in harmless if "/" not in file.name]
    weights = [file for file in top if _weights.fullmatch(file.name)]
    if not weights:
        # Older conversions use other names for their weights.
        weights = [file for file in top if file.name.endswith(".safetensors")]
    if not weights:
        raise UnsupportedModel(_missing_weights_reason(files))
    return weights + [file for file in top if any(fnmatchcase(file.name, pattern) for pattern in _selected)]


def _missing_weights_reason(files: Sequence[RemoteFile]) -> str:
    if names := sorted(file.name for file in files if file.name.lower().endswith(".gguf")):
        examples = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        return f"This repository contains GGUF files ({examples}). Choose one with --include, then import it."
    if any(PurePosixPath(file.name).suffix.lower() in (".bin", ".pt", ".pth") for file in files):
        return (
            "The weights are Python pickles, which can run any program when opened, so Facet doesn't download them. "
            "Look for the same model as safetensors."
        )
    return "This repository contains no weights in safetensors format."
