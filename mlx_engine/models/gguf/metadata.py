"""Typed access to the metadata of a GGUF file; an error names the field that is missing or of the wrong type."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from mlx_engine.errors import BrokenModel
from mlx_engine.models.files.json_value import bounded
from mlx_engine.models.gguf.header import Value


class Metadata:
    """The metadata of one file.

    Every getter raises `BrokenModel` if the value has another type, or if it is missing and has no default.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return iter(self._values.items())

    def count(self, key: str, default: int | None = None) -> int:
        """Return a positive integer, or the common value of a list of equal integers."""
        value = self._get(key, default)
        if isinstance(value, Sequence) and not isinstance(value, str) and len(set(value)) == 1:
            value = value[0]
        if (count := bounded(value, 2**31 - 1)) is None:
            raise _invalid(key, value)
        return count

    def number(self, key: str, default: float | None = None) -> float:
        """Return a positive, finite number."""
        value = self._get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise _invalid(key, value)
        return float(value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str):
            raise _invalid(key, value)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise _invalid(key, value)
        return value

    def texts(self, key: str) -> list[str]:
        value = self._get(key, None)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _invalid(key, value)
        return value

    def index(self, key: str, below: int) -> int | None:
        """Return an index less than `below`, or None if it is missing."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
            raise _invalid(key, value)
        return value

    def integers(self, key: str) -> Sequence[int]:
        value = self._get(key, None)
        if (
            isinstance(value, str)
            or not isinstance(value, Sequence)
            or not all(isinstance(item, int) for item in value)
        ):
            raise _invalid(key, value)
        return cast("Sequence[int]", value)

    def numbers(self, key: str) -> Sequence[float]:
        value = self._get(key, None)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _invalid(key, value)
        if not all(isinstance(item, int | float) for item in value):
            raise _invalid(key, value)
        return cast("Sequence[float]", value)

    def _get(self, key: str, default: Value | None) -> Value:
        value = self._values.get(key, default)
        if value is None:
            raise BrokenModel(f"The field {key!r} is missing from the file.")
        return value


def _invalid(key: str, value: object) -> BrokenModel:
    return BrokenModel(f"The file has an invalid value for {key!r}: {str(value)[:80]!r}.")


def chat_templates(metadata: Mapping[str, Value]) -> dict[str, str]:
    """Return the chat templates of a file by name; the one without a name is "default"."""
    key = "tokenizer.chat_template"
    named = {name.removeprefix(f"{key}."): value for name, value in metadata.items() if name.startswith(f"{key}.")}
    return {name: value for name, value in {**named, "default": metadata.get(key)}.items() if isinstance(value, str)}
