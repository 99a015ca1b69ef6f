"""Starts job processes: their command, environment and client."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from mlx_engine import network
from mlx_engine.child_command import child_command
from mlx_engine.engine.parents.client import Client, worker_environment
from mlx_engine.engine.values import job_messages
from mlx_engine.engine.values.job_messages import JobEvent


def start_job(
    on_event: Callable[[JobEvent], None],
    *,
    logs: Path,
    needs_network: bool = True,
    command: Sequence[str] | None = None,
) -> Client[JobEvent]:
    """Start a job process that waits for requests. Without `needs_network` it is kept off the network.

    Raises:
        EngineError: the system could not start the process.
    """
    return Client(
        on_event=on_event,
        log_path=logs / "jobs.log",
        command=command or child_command("job"),
        environment=job_environment(needs_network=needs_network),
        decode=job_messages.decode_event,
    )


def job_environment(*, needs_network: bool) -> dict[str, str]:
    """Return the environment for a job: a worker's, plus access to the network if the job needs it.

    HF_HUB_OFFLINE, set by the user, still applies.
    """
    environment = worker_environment()
    if not needs_network:
        return environment | {network.OFFLINE_VARIABLE: "1"}
    if (offline := os.environ.get("HF_HUB_OFFLINE")) is None:
        del environment["HF_HUB_OFFLINE"]
    else:
        environment["HF_HUB_OFFLINE"] = offline
    # The library for Xet storage opens sockets that the offline switch cannot see, and cannot resume a file.
    return environment | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
