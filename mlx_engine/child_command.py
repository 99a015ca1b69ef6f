"""The command line that starts a child process of Facet."""

import sys


def child_command(*arguments: str) -> list[str]:
    """Return the command that runs `python -m mlx_engine` with `arguments`.

    A packaged app needs no other: there `sys.executable` is the Python inside the bundle, not the app's launcher.
    """
    return [sys.executable, "-m", "mlx_engine", *arguments]
