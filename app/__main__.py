"""Entry point of Facet: the window or the command line."""

import sys

from mlx_engine import network

WINDOW_OPTIONS = ("-platform", "-style", "-psn_", "-NS", "-Apple")
"""Prefixes of options that Qt reads itself, or that macOS passes to the programs it opens."""


def main() -> int:
    """Run the part that the arguments ask for, importing no other, and return the exit code."""
    arguments = network.apply_offline_option(sys.argv[1:])
    if not arguments or arguments[0].startswith(WINDOW_OPTIONS):
        from app.application import main as open_window  # noqa: PLC0415

        return open_window([*sys.argv[:1], *arguments])
    from mlx_engine.__main__ import main as run_engine  # noqa: PLC0415

    return run_engine(arguments)


if __name__ == "__main__":
    sys.exit(main())
