"""Exceptions that mlx-lm, transformers and MLX raise for unsuitable model folders, and their translation."""

from huggingface_hub.errors import StrictDataclassError

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


def translate(error: BaseException, name: str) -> ModelError:
    """Return the error of ours that corresponds to `error` while opening the model `name`."""
    text = " ".join(str(error).split())[:300].rstrip(".")
    if isinstance(error, SystemExit):
        return UnsupportedModel(f"{name} needs a library that isn't part of Facet.")
    if isinstance(error, ImportError | AttributeError) or (isinstance(error, ValueError) and "not supported" in text):
        return UnsupportedModel(f"This version of Facet can't run {name}: {text}.")
    if "trust_remote_code" in text or "custom code" in text:
        return UnsupportedModel(f"{name} requires custom Python code, which Facet never runs.")
    if isinstance(error, KeyError):
        text = f"{text} is missing from its configuration or weights"
    return BrokenModel(f"Couldn't open {name}: {text}. Its files don't match each other; download the model again.")
