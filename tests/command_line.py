"""The command line with child processes of a test's choice instead of Facet's own.

[sys.executable, "-m", "tests.command_line", json.dumps({"worker": scripted_worker.command(…)}), "chat", …]
"""

import json
import sys
from collections.abc import Sequence

from mlx_engine.__main__ import main
from mlx_engine.engine.parents import client, job_client


def command(*arguments: str, **children: Sequence[str]) -> list[str]:
    """Return the command that runs `arguments`, with the commands of its `worker` or its `job`."""
    return [sys.executable, "-m", "tests.command_line", json.dumps(children), *arguments]


if __name__ == "__main__":
    children: dict[str, list[str]] = json.loads(sys.argv[1])
    client.child_command = job_client.child_command = children.__getitem__  # type: ignore[assignment]
    sys.exit(main(sys.argv[2:]))
