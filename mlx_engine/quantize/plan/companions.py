"""Copies what belongs beside a model's weights: its tokenizer, its chat template, its license; never code."""

import re
import shutil
from pathlib import Path

from mlx_engine.models.description import provenance

_patterns = ("*.json", "*.jsonl", "*.txt", "*.jinja", "*.model", "*.tiktoken")
_licenses = re.compile(r"(licen[cs]e|notice|use_policy)", re.IGNORECASE)
_written_anew = frozenset({"config.json", "model.safetensors.index.json", "hf_quant_config.json", provenance.FILE_NAME})
"""What describes the source's own weights."""


def copy(source: Path, target: Path) -> None:
    """Copy them from folder to folder, links as what they lead to.

    Raises:
        OSError: a file cannot be read or written.
    """
    for file in sorted(source.iterdir()):
        if file.is_file() and file.name not in _written_anew and _belongs(file):
            shutil.copyfile(file, target / file.name)


def _belongs(file: Path) -> bool:
    if _licenses.match(file.name):
        return file.suffix.lower() in ("", ".md", ".txt", ".pdf")
    return any(file.match(pattern) for pattern in _patterns) and not file.name.endswith(".index.json")
