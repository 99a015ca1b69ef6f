"""Starts job processes: the command, the environment, and the client that speaks their protocol."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mlx_engine import network
from mlx_engine.engine.parents.client import Client, own_command, worker_environment
from mlx_engine.engine.values import job_messages
from mlx_engine.engine.values.job_messages import JobEvent


def start_job(
    on_event: Callable[[JobEvent], None],
    *,
    logs: Path,
    needs_network: bool = True,
    command: Sequence[str] | None = None,
) -> Client[JobEvent]:
    """Start a job process; it waits for requests. One that does not need the network is kept off it.

    Raises:
        EngineError: the system could not start the process.
    """
    return Client(
        on_event=on_event,
        log_path=logs / "jobs.log",
        command=command or own_command("job"),
        environment=job_environment(needs_network=needs_network),
        decode=job_messages.decode_event,
    )


def job_environment(*, needs_network: bool) -> dict[str, str]:
    """Return a worker's environment.

    A process that needs the network may reach it, unless the person's own environment forbids it.
    """
    environment = worker_environment()
    if not needs_network:
        return environment | {network.OFFLINE_VARIABLE: "1"}
    if (offline := os.environ.get("HF_HUB_OFFLINE")) is None:
        del environment["HF_HUB_OFFLINE"]
    else:
        environment["HF_HUB_OFFLINE"] = offline
    # The library for Xet storage opens sockets that the offline switch cannot see, and cannot take up a file again.
    return environment | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
