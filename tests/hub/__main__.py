"""`python -m tests.hub ID FOLDER [BYTES]` serves a folder as a repository until its standard input closes.

Each large file is sent at BYTES per second at most. The first line of the output is the URL. As a separate process, it
does not add to the CPU time of the client.
"""

import sys
from pathlib import Path

from tests.hub.faults import Slow
from tests.hub.repository import Repository
from tests.hub.server import Hub


def main(id: str, folder: Path, bytes_per_s: int = 0) -> None:
    hub = Hub()
    if bytes_per_s:
        hub.inject("/large/", Slow(bytes_per_s), times=sys.maxsize)
    hub.add(Repository(id)).commit({file.name: file for file in sorted(folder.iterdir())})
    with hub.serving():
        sys.stdout.write(hub.endpoint + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
