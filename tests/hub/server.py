"""A test Hub on loopback, with the part of the Hub's API that `huggingface_hub` 2.4 uses for models.

As on the real Hub, large files are served from another host, to which requests are redirected (`localhost` instead of
127.0.0.1). The request log shows a client that sends its token there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer

from tests.hub.faults import Fault, Hold, ScheduledFault
from tests.hub.handler import HubHandler, HubRequest
from tests.hub.repository import Repository


class Hub:
    """Repositories, access rights, scheduled faults and logged requests."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, str] = {}
        """User names by token."""
        self.accepted: set[tuple[str, str]] = set()
        """Pairs of a user and a repository id: accepted terms of gated repositories, and access to private ones."""
        self.requests: list[HubRequest] = []
        self.page_size = 1000
        self.read_only_tokens: set[str] = set()
        """Tokens without write permission."""
        self.organizations: dict[str, tuple[str, ...]] = {}
        """Organizations by user."""
        self.stored: dict[str, bytes] = {}
        """Uploaded large files, by SHA-256."""
        self.parts: dict[tuple[str, int], bytes] = {}
        self.accepts_parts = False
        self._scheduled: list[ScheduledFault] = []
        self._lock = threading.Lock()
        self._never = threading.Event()
        self._server = _Server(("127.0.0.1", 0), partial(HubHandler, self))

    def reset(self) -> None:
        """Remove all repositories, users, faults and requests; release held requests."""
        with self._lock:
            for scheduled in self._scheduled:
                if isinstance(scheduled.fault, Hold):
                    scheduled.fault.released.set()
            self._scheduled.clear()
        for collection in (
            self.repositories, self.tokens, self.accepted, self.requests,
            self.read_only_tokens, self.organizations, self.stored, self.parts,
        ):  # fmt: skip
            collection.clear()
        self.accepts_parts = False
        self.page_size = 1000

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def large_file_host(self) -> str:
        return f"localhost:{self.port}"

    def add(self, repository: Repository) -> Repository:
        self.repositories[repository.id] = repository
        return repository

    def inject(self, path: str, fault: Fault, times: int = 1, after: int = 0) -> None:
        """Schedule `fault` for the next `times` requests whose path contains `path`, after `after` normal ones."""
        with self._lock:
            self._scheduled.append(ScheduledFault(path, fault, times, after))

    def next_fault(self, path: str) -> Fault | None:
        with self._lock:
            for scheduled in self._scheduled:
                if scheduled.path not in path:
                    continue
                if scheduled.after:
                    scheduled.after -= 1
                elif scheduled.times:
                    scheduled.times -= 1
                    return scheduled.fault
        return None

    def requests_to(self, path: str) -> list[HubRequest]:
        """Return the requests whose path contains `path`."""
        return [request for request in self.requests if path in request.path]

    def pause(self, seconds: float) -> None:
        """Wait, to simulate a slow connection."""
        self._never.wait(seconds)

    @contextmanager
    def serving(self) -> Iterator["Hub"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Report nothing: tests kill clients on purpose."""
