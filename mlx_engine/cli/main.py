"""The command line: which verb, and what becomes of its errors. Imports neither MLX nor Qt."""

import io
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from mlx_engine.cli.views.failure import BROKEN_PIPE, FAILED, INTERRUPTED, UsageError, report
from mlx_engine.errors import FacetError
from mlx_engine.versions import version_of

_verbs = (
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
"""Each is a module beside this one, and what it calls so: a function or an app. Only what is asked for is imported."""

_help = """Chat offline with language models on your own Mac.

Without a command, `facet` opens the window. With --offline, nothing in Facet connects to anything but this machine.
Exit codes: 0 done, 1 failed or refused, 130 interrupted.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the verb that `arguments` name; return the exit code."""
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
        # Standard output is the one file that a verb writes by itself; the others are translated where they are.
        _drop_output()
        report(f"The output could not be written: {error.strerror}.")
        return FAILED
    return code or 0


def _prepare_streams() -> None:
    """Let no stream raise for what it is given, nor for being closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_output() -> None:
    # What is still buffered has nowhere to go; without this the interpreter would complain about it at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _app(arguments: Sequence[str]) -> App:
    app = App(
        name="facet",
        help=_help,
        version=lambda: version_of("facet") or "(not installed)",
        help_format="markdown",
        suppress_keyboard_interrupt=False,
    )
    for verb in _verbs:
        app.command(f"{__package__}.{verb}:{verb}")
    app.command(f"{__package__}.import_model:import_model", name="import")
    if not arguments or arguments[0].startswith("-"):
        app.resolved_commands()  # What is shown then is the list of verbs, with what each does.
    return app
