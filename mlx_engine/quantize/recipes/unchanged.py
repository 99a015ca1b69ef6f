"""What a conversion keeps as it is, in words. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

_number = re.compile(r"\.\d+\.")
USUAL_REASONS = ("a norm", "a vector")
"""Nobody expects these to be quantized: they are told only where everything is."""


def kept_in_words(kept: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Give what is kept, by path and reason, a line for each kind of matrix: "model.layers.*.mlp.gate (28): …"."""
    kinds = Counter((_number.sub(".*.", path, count=1), reason) for path, reason in kept)
    for (path, reason), count in kinds.items():
        yield f"{path}{f' ({count})' if count > 1 else ''}: {reason}"
