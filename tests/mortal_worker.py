"""Facet's own worker, which kills itself by signal 9 right after its first event of a given type.

The types are the lines of a file. Each process takes one; if none is left, the process is not killed:

    Session(…, command=mortal_worker.command(tmp_path / "deaths", LoadProgress, Delta))
"""

import os
import signal
import sys
from pathlib import Path

from mlx_engine.__main__ import main
from mlx_engine.engine.children.worker import Outbox
from mlx_engine.protocol import Event


def command(file: Path, *deaths: type[Event]) -> list[str]:
    """Return the command of a worker whose processes die after these events, one process each."""
    file.write_text("\n".join(event.__name__ for event in deaths))
    return [sys.executable, "-m", "tests.mortal_worker", str(file)]


class MortalOutbox(Outbox):
    """The pipe to the parent; `death` is the event after which the process is killed."""

    death = ""

    def send(self, event: Event) -> None:
        super().send(event)
        if type(event).__name__ == self.death:
            os.kill(os.getpid(), signal.SIGKILL)


def next_death(file: Path) -> str:
    """Remove the first line of `file` and return it; "" if there is none."""
    death, _, rest = file.read_text().partition("\n")
    file.write_text(rest)
    return death


if __name__ == "__main__":
    from mlx_engine.engine.children import worker

    MortalOutbox.death = next_death(Path(sys.argv[1]))
    worker.Outbox = MortalOutbox  # type: ignore[misc]  # a real worker but for its death
    sys.exit(main(["worker"]))
