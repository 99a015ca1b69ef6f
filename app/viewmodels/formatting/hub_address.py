"""Finds the repository that an address of the Hub names."""

import re

_address = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+?)/?(?:[/?#].*)?", re.ASCII)
_other_kinds = frozenset({"api", "blog", "collections", "datasets", "docs", "models", "papers", "spaces", "tasks"})
"""What stands in the place of an owner in addresses that lead elsewhere."""


def repository_in(text: str) -> str:
    """Return `<owner>/<name>` if `text` is the address of a model on the Hub, or else nothing."""
    match = _address.fullmatch(text.strip())
    return match[1] if match and match[1].partition("/")[0] not in _other_kinds else ""
