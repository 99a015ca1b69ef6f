"""Starts job processes: the command, the environment, and the client that speaks their protocol."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mlx_engine import job_protocol
from mlx_engine.engine.client import Client, own_command, worker_environment
from mlx_engine.job_protocol import JobEvent


def start_job(
    on_event: Callable[[JobEvent], None], *, logs: Path, command: Sequence[str] | None = None
) -> Client[JobEvent]:
    """Start a job process; it waits for requests.

    Raises:
        EngineError: the system could not start the process.
    """
    return Client(
        on_event=on_event,
        log_path=logs / "jobs.log",
        command=command or own_command("job"),
        environment=job_environment(),
        decode=job_protocol.decode_event,
    )


def job_environment() -> dict[str, str]:
    """Return a worker's environment, but one that may reach the network, unless the person's own forbids it."""
    environment = worker_environment()
    if (offline := os.environ.get("HF_HUB_OFFLINE")) is None:
        del environment["HF_HUB_OFFLINE"]
    else:
        environment["HF_HUB_OFFLINE"] = offline
    # The library for Xet storage opens sockets that the offline switch cannot see, and cannot take up a file again.
    return environment | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
