"""Tells other processes that a model is loaded: a lock on its folder.

The system drops the lock when the process ends, however it ends. Where a disk knows no locks, nobody is told.
"""

import contextlib
import fcntl
import os
from pathlib import Path


def hold(model: Path) -> None:
    """Say that the model is loaded, until this process ends."""
    with contextlib.suppress(OSError):
        # Open on purpose: closing it would drop the lock.
        fcntl.flock(os.open(model, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_in_use(model: Path) -> bool:
    """Tell whether any process has the model loaded."""
    try:
        descriptor = os.open(model, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
