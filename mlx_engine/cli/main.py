"""Entry point of the command line: selects the command and reports its errors. Imports neither MLX nor Qt."""

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from mlx_engine.cli.views.failure import BROKEN_PIPE, FAILED, INTERRUPTED, UsageError, report
from mlx_engine.errors import FacetError
from mlx_engine.versions import version_of

_COMMANDS = (
    "bench",
    "catalog",
    "chat",
    "convert",
    "fit",
    "lab",
    "measure",
    "models",
    "prepare",
    "publish",
    "pull",
    "recipes",
    "search",
)
"""Each is a module of this package with a function or app of the same name; only the one in use is imported."""

_HELP = """Chat with AI models on your Mac. Nothing leaves it.

Without a command, `facet` opens the window. Add --offline to block all network access.
Exit codes: 0 success, 1 failure, 130 interrupted.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command in `arguments`; return the exit code."""
    _prepare_streams()
    try:
        code = _app(arguments)(arguments, print_error=False, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except (UsageError, CycloptsError) as error:
        report(" ".join(str(error).split()))
        return FAILED
    except FacetError as error:
        report(error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:
        # Standard output is the only file whose errors are not translated where it is written.
        _drop_output()
        report(f"Couldn't write the output: {error.strerror}.")
        return FAILED
    return code or 0


def _prepare_streams() -> None:
    """Make every stream accept any text, and replace closed ones."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_output() -> None:
    # The interpreter would report an error at exit if it could not flush its buffers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _app(arguments: Sequence[str]) -> App:
    app = App(
        name="facet",
        help=_HELP,
        version=lambda: version_of("facet") or "(not installed)",
        help_format="markdown",
        suppress_keyboard_interrupt=False,
    )
    for command in _COMMANDS:
        app.command(f"{__package__}.{command}:{command}")
    app.command(f"{__package__}.import_model:import_model", name="import")
    if not arguments or arguments[0].startswith("-"):
        app.resolved_commands()  # The help page lists every command with its summary.
    return app
