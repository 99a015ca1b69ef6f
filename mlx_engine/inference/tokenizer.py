"""Loads the tokenizer of a model folder."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from mlx_lm.utils import load_tokenizer as _load_tokenizer
from transformers import PreTrainedConfig

from mlx_engine.models.description import chat_template
from mlx_engine.models.files.json_file import read_json

_untyped_load: Any = _load_tokenizer
_modules = {"chat_template_type": "mlx_lm.chat_templates", "tool_parser_type": "mlx_lm.tool_parsers"}


def load_tokenizer(folder: Path, end_tokens: int | list[int] | None) -> Any:
    """Return mlx-lm's tokenizer of the model in `folder`; `end_tokens` end an answer. No code in the folder is run.

    Raises:
        BrokenModel: tokenizer_config.json or chat_template.json is damaged.
        Exception: one of `foreign_errors.FOREIGN_ERRORS`, for other faults.
    """
    template = chat_template.read(folder) or None
    options: dict[str, Any] = {"trust_remote_code": False, "chat_template": template}
    options |= _without_unknown_modules(folder / "tokenizer_config.json")
    try:
        tokenizer = _untyped_load(folder, options, eos_token_ids=end_tokens)
    except StrictDataclassError:
        # transformers checks config.json by rules of its own, although the tokenizer needs nothing of it.
        tokenizer = _untyped_load(folder, options | {"config": PreTrainedConfig()}, eos_token_ids=end_tokens)
    tokenizer.chat_template = template
    # A few families have a function of mlx-lm in place of a template.
    tokenizer.has_chat_template = tokenizer.chat_template is not None or tokenizer._chat_template is not None
    return tokenizer


def _without_unknown_modules(settings_file: Path) -> dict[str, None]:
    """Return options that remove the names of chat templates and tool parsers that mlx-lm does not have.

    WORKAROUND(mlx-lm 0.32.2): it fails for them, although the folder's own template, and the parser that suits it,
    usually serve.
    """
    settings = read_json(settings_file) if settings_file.is_file() else {}
    return {
        name: None for name, package in _modules.items() if name in settings and not _exists(package, settings[name])
    }


def _exists(package: str, name: object) -> bool:
    return isinstance(name, str) and name.isidentifier() and find_spec(f"{package}.{name}") is not None
