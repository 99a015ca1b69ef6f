"""`python -m tests.hub ID FOLDER` serves the files of a folder as a repository, until its standard input closes.

The first line of its output is the address. A process of its own, so that what it costs is not the client's.
"""

import sys
from pathlib import Path

from tests.hub.repository import Repository
from tests.hub.server import Hub


def main(id: str, folder: Path) -> None:
    hub = Hub()
    hub.add(Repository(id)).commit({file.name: file for file in sorted(folder.iterdir())})
    with hub.serving():
        sys.stdout.write(hub.endpoint + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
