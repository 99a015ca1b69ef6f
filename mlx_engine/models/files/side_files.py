"""Files beside models that are not models: those of the operating system, and parts of models."""

import re

_system = re.compile(r"\._.*|\.DS_Store|Thumbs\.db|desktop\.ini|\.fseventsd|\.Spotlight.*|\.Trash.*", re.IGNORECASE)
_parts = re.compile(r"(?:.*[-_.])?(?:mmproj|mtp|imatrix|lora|control[-_]vector)(?:[-_.].*)?", re.IGNORECASE)


def is_system_file(name: str) -> bool:
    """Return True for files of the operating system, such as the "._name" that macOS writes on exFAT disks."""
    return _system.fullmatch(name) is not None


def is_part(name: str) -> bool:
    """Return True for a GGUF file that is not a model: a vision part, an adapter, or statistics for quantizing."""
    return _parts.fullmatch(name) is not None
