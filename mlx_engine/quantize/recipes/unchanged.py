"""Formats the list of tensors that a conversion does not quantize. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

_number = re.compile(r"\.\d+\.")
EXPECTED_REASONS = ("a norm", "a vector")
"""Reasons that are listed only in a complete list, because these tensors are never quantized."""


def unquantized_lines(tensors: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each kind of tensor, from paths and reasons: "model.layers.*.mlp.gate (28): …"."""
    kinds = Counter((_number.sub(".*.", path, count=1), reason) for path, reason in tensors)
    for (path, reason), count in kinds.items():
        yield f"{path}{f' ({count})' if count > 1 else ''}: {reason}"
