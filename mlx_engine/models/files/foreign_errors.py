"""Translates what mlx-lm, transformers and MLX raise on an invalid model folder."""

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
    StrictDataclassError,  # a tokenizer's settings of the wrong kind
    SystemExit,  # mlx-lm's `olmo` ends the program if the library is missing that it needs
    TypeError,
    ValueError,
)


def translate(error: BaseException, name: str) -> ModelError:
    """Return the error as a failure of the model `name`."""
    text = " ".join(str(error).split())[:300].rstrip(".")
    if isinstance(error, SystemExit):
        return UnsupportedModel(f"{name} needs a library that does not come with Facet.")
    if isinstance(error, ImportError | AttributeError) or (isinstance(error, ValueError) and "not supported" in text):
        return UnsupportedModel(f"{name} cannot be run by this version of Facet: {text}.")
    if "trust_remote_code" in text or "custom code" in text:
        return UnsupportedModel(f"{name} needs Python code from its own folder, which Facet never runs.")
    if isinstance(error, KeyError):
        text = f"{text} is missing in its configuration or its weights"
    return BrokenModel(f"{name} cannot be opened: {text}. Its files do not fit together; download the model again.")
