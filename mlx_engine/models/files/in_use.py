"""A lock on a model folder that shows other processes that the model is loaded.

The system releases the lock when the process ends, for any reason. On a disk that does not support locks,
no model appears to be in use.
"""

import contextlib
import fcntl
import os
from pathlib import Path


def hold(model: Path) -> None:
    """Mark the model as loaded until this process ends."""
    with contextlib.suppress(OSError):
        # Left open on purpose: closing it would release the lock.
        fcntl.flock(os.open(model, os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_in_use(model: Path) -> bool:
    """Return whether any process has loaded the model."""
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
