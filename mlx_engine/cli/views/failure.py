"""How the command line fails: a sentence on standard error and an exit code."""

import sys

from mlx_engine.cli.views import terminal
from mlx_engine.errors import FacetError

FAILED = 1
INTERRUPTED = 130
"""What shells expect of a program that Control-C ended."""
BROKEN_PIPE = 141
"""What shells expect of a program whose reader went away."""


class UsageError(Exception):
    """The command line itself is wrong; the message names the option and what it may be."""


def report(error: FacetError | UsageError | str) -> None:
    """Say on standard error what went wrong."""
    sentence = f"{error.title}: {error.message}" if isinstance(error, FacetError) else str(error)
    sys.stderr.write(f"facet: {terminal.printable(sentence)}\n")
