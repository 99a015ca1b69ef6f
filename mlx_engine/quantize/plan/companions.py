"""Copies the files that accompany a model's weights: tokenizer, chat template, license; never code."""

import re
import shutil
from pathlib import Path

from mlx_engine.models.description import provenance
from mlx_engine.models.files import side_files

_patterns = ("*.json", "*.jsonl", "*.txt", "*.jinja", "*.model", "*.tiktoken")
_licenses = re.compile(r"(licen[cs]e|notice|use_policy)", re.IGNORECASE)
_replaced = frozenset(
    {
        "config.json",
        "hf_quant_config.json",
        "model.safetensors.index.json",
        "quant_config.json",
        "quantization_config.json",
        "quantize_config.json",
        provenance.FILE_NAME,
    }
)
"""Files about the source's weights, which do not describe those of the result."""


def copy(source: Path, target: Path) -> None:
    """Copy them from folder to folder, links as their targets.

    Raises:
        OSError: a file cannot be read or written.
    """
    for file in sorted(source.iterdir()):
        if file.is_file() and file.name not in _replaced and _belongs(file):
            shutil.copyfile(file, target / file.name)


def _belongs(file: Path) -> bool:
    if side_files.is_system_file(file.name):
        return False
    if _licenses.match(file.name):
        return file.suffix.lower() in ("", ".md", ".txt", ".pdf")
    return any(file.match(pattern) for pattern in _patterns) and not file.name.endswith(".index.json")
