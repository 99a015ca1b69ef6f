"""A child process's end of its pipes: requests on standard input, events on standard output."""

import logging
import os
import signal
import sys
from typing import IO, NoReturn


def open_pipes(log_level: int) -> tuple[IO[bytes], IO[bytes]]:
    """Reserve the pipes for the protocol and return them: requests, then events.

    Other code then reads nothing from standard input, and prints to standard error, as the log does. Control-C is left
    to the parent, which shares the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed, not a file's content
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, level=log_level, format="%(asctime)s %(name)s: %(message)s")
    return requests, events


def end_process(code: int = 0) -> NoReturn:
    """End the process at once, from any thread, even while another one runs native code."""
    os._exit(code)
