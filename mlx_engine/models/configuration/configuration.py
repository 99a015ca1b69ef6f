"""Typed access to `config.json`, which is not trusted: a value of another type or out of bounds counts as absent."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlx_engine.models.files.json_value import bounded

# A multimodal model has a separate section for its text part.
_text_sections = ("text_config", "llm_config", "language_config")
_max_integer = 2**31 - 1
_max_length = 2**40
"""Some configurations use 10^30 for "unbounded"."""


class Configuration:
    """The fields of a configuration; those of its text section take precedence."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        inner = next((section for name in _text_sections if isinstance(section := values.get(name), dict)), {})
        self._values = values
        self._sections = (inner, values)

    def integer(self, *names: str, default: int = 0) -> int:
        """Return the first of these fields that is a positive integer."""
        return self._bounded(names, _max_integer) or default

    def length(self, *names: str) -> int:
        """Return the first of these fields that is a positive number of tokens; 0 if there is none."""
        return self._bounded(names, _max_length) or 0

    def texts(self, name: str) -> Sequence[str]:
        """Return a list of strings; empty if it is absent or contains anything else."""
        value = self._get(name)
        return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else ()

    def integers(self, name: str) -> Sequence[int]:
        """Return a list of integers; empty if it is absent or contains anything else."""
        value = self._get(name)
        return value if isinstance(value, list) and all(isinstance(item, int) for item in value) else ()

    def text(self, name: str) -> str:
        value = self._get(name)
        return value if isinstance(value, str) else ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._get(name)
        return value if isinstance(value, bool) else default

    def section(self, name: str) -> Mapping[str, Any]:
        """Return an object of the configuration; empty if it is absent."""
        value = self._get(name)
        return value if isinstance(value, dict) else {}

    @property
    def architecture(self) -> str:
        """`model_type` of the whole model."""
        value = self._values.get("model_type")
        return value if isinstance(value, str) else ""

    @property
    def text_architecture(self) -> str:
        """`model_type` of the text part."""
        return self.text("model_type")

    def _bounded(self, names: Sequence[str], most: int) -> int | None:
        values = (bounded(section.get(name), most) for section in self._sections for name in names)
        return next((value for value in values if value is not None), None)

    def _get(self, name: str) -> Any:
        return next((section[name] for section in self._sections if section.get(name) is not None), None)
