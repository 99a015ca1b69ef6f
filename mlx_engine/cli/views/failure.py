"""Failures of the command line: a sentence on standard error and an exit code."""

import sys

from mlx_engine.cli.views import terminal
from mlx_engine.errors import FacetError

FAILED = 1
INTERRUPTED = 130
"""Exit code that shells expect after Control-C."""
BROKEN_PIPE = 141
"""Exit code that shells expect when the reader of the output has closed the pipe."""


class UsageError(Exception):
    """An error in the command line itself; the message names the option and its legal values."""


def report(error: FacetError | UsageError | str) -> None:
    """Write the error to standard error."""
    sentence = f"{error.title}: {error.message}" if isinstance(error, FacetError) else str(error)
    sys.stderr.write(f"facet: {terminal.printable(sentence)}\n")
