"""Exceptions that mlx-lm, transformers and MLX raise for unsuitable model folders, and their translation."""

import re

from huggingface_hub.errors import StrictDataclassError

from mlx_engine.amounts import format_count
from mlx_engine.errors import BrokenModel, ModelError, UnsupportedModel

FOREIGN_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    StrictDataclassError,  # tokenizer settings of the wrong type
    SystemExit,  # mlx-lm's `olmo` exits if a library that it needs is missing
    TypeError,
    ValueError,
)


_other_tensors = re.compile(
    r"Received (?P<extra>\d+) parameters not in model: (?P<first>[^,]+)"
    r"|Missing (?P<missing>\d+) parameters: (?P<lacking>[^,]+)"
    r"|Expected shape (?P<shape>\(.*?\)) but received shape (?P<stored>\(.*?\)) for parameter (?P<name>\S+)"
)
"""mlx.nn.Module.load_weights"""
_absent_fields = re.compile(r"__init__\(\) missing \d+ required positional arguments?: (.+)")
_custom_code = "requires custom Python code, which Facet never runs"
_remedy = "Look for a conversion of the model for MLX."


def translate(error: BaseException, name: str) -> ModelError:
    """Return the error of ours that corresponds to `error` while opening the model `name`."""
    text = " ".join(str(error).split())[:300].rstrip(".")
    if isinstance(error, SystemExit) or "trust_remote_code" in text or "custom code" in text:
        need = "needs a library that isn't part of Facet" if isinstance(error, SystemExit) else _custom_code
        return UnsupportedModel(f"{name} {need}.")
    if match := _other_tensors.search(text):
        return UnsupportedModel(f"mlx-lm doesn't know this form of {name}: {_describe_tensors(match)}. {_remedy}")
    if isinstance(error, TypeError) and (match := _absent_fields.search(text)):
        return UnsupportedModel(f"config.json of {name} lacks {match[1]}, which mlx-lm needs. {_remedy}")
    if isinstance(error, ImportError | AttributeError) or (isinstance(error, ValueError) and "not supported" in text):
        return UnsupportedModel(f"This version of Facet can't run {name}: {text}.")
    if isinstance(error, KeyError):
        text = f"{text} is missing from its configuration or weights"
    remedy = "Download the model again" if isinstance(error, OSError) else "Its files don't match each other"
    return BrokenModel(f"Couldn't open {name}: {text}. {remedy}.")


def _describe_tensors(match: re.Match[str]) -> str:
    if match["extra"]:
        return f"its files have {format_count(int(match['extra']), 'unknown tensor')}, first {match['first'].strip()}"
    if match["missing"]:
        return f"its files lack {format_count(int(match['missing']), 'tensor')}, first {match['lacking'].strip()}"
    return f"{match['name']} is {match['stored']} in the files, but {match['shape']} in the network"
