"""A small real Hub on loopback. It speaks the part of the Hub's API that `huggingface_hub` 2.4 uses for models.

Large files are served from another address (`localhost` instead of 127.0.0.1) to which the Hub redirects, as the real
one does: a client that sends its token there is caught in the log of requests.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer

from tests.hub.faults import Fault, Hold, Order
from tests.hub.handler import HubHandler, Seen
from tests.hub.repository import Repository


class Hub:
    """The repositories, who may read them, what is to go wrong, and what was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, str] = {}
        """The names of the users by their tokens."""
        self.accepted: set[tuple[str, str]] = set()
        """Which user has accepted the conditions of which gated repository, or may read which private one."""
        self.seen: list[Seen] = []
        self.page_size = 1000
        self.readers: set[str] = set()
        """Tokens that may not write."""
        self.organizations: dict[str, tuple[str, ...]] = {}
        """Those that a user belongs to."""
        self.stored: dict[str, bytes] = {}
        """What has been sent to the storage of large files, by its SHA-256."""
        self.parts: dict[tuple[str, int], bytes] = {}
        self.takes_parts = False
        self._orders: list[Order] = []
        self._lock = threading.Lock()
        self._never = threading.Event()
        self._server = _Server(("127.0.0.1", 0), partial(HubHandler, self))

    def reset(self) -> None:
        """Forget all repositories, people, faults and requests; let go what is held."""
        with self._lock:
            for order in self._orders:
                if isinstance(order.fault, Hold):
                    order.fault.released.set()
            self._orders.clear()
        for collection in (
            self.repositories, self.tokens, self.accepted, self.seen,
            self.readers, self.organizations, self.stored, self.parts,
        ):  # fmt: skip
            collection.clear()
        self.takes_parts = False
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

    def order(self, path: str, fault: Fault, times: int = 1, after: int = 0) -> None:
        """Let `fault` happen to the next `times` answers whose path contains `path`, `after` so many without."""
        with self._lock:
            self._orders.append(Order(path, fault, times, after))

    def take_fault(self, path: str) -> Fault | None:
        with self._lock:
            for order in self._orders:
                if order.path not in path:
                    continue
                if order.after:
                    order.after -= 1
                elif order.times:
                    order.times -= 1
                    return order.fault
        return None

    def asked(self, path: str) -> list[Seen]:
        """Return the requests whose path contains `path`."""
        return [seen for seen in self.seen if path in seen.path]

    def pause(self, seconds: float) -> None:
        """Wait as long as a slow line takes."""
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
        """Say nothing: clients that are killed in the middle are what this Hub is for."""
