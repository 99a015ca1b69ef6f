"""HTTP handler of the test Hub: routes, access rights and injected faults."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub import listing
from tests.hub.faults import (
    Cut,
    Fault,
    Hold,
    LimitRange,
    NoRange,
    Refuse,
    Slow,
    WrongContent,
    WrongLength,
    WrongRedirect,
)
from tests.hub.repository import HubFile, Repository
from tests.hub.upload_handler import UploadHandler

if TYPE_CHECKING:
    from tests.hub.server import Hub

_BLOCK = 1 << 20
_NEVER = threading.Event()


@dataclass(frozen=True, slots=True)
class HubRequest:
    """A logged request."""

    method: str
    path: str
    host: str
    range: str
    authorization: str


class HubHandler(UploadHandler, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TestHub"
    wbufsize = 0

    def __init__(self, hub: "Hub", *arguments: Any) -> None:
        self._hub = hub
        super().__init__(*arguments)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _start_request(self) -> None:
        """Log the request and select its fault."""
        headers = self.headers
        self._hub.requests.append(
            HubRequest(
                self.command,
                self.path,
                headers["Host"] or "",
                headers["Range"] or "",
                headers["Authorization"] or "",
            )
        )
        self._fault = self._hub.next_fault(self.path)

    def do_GET(self) -> None:
        self._start_request()
        if isinstance(self._fault, Refuse):
            self._error(self._fault.status, headers=dict(self._fault.headers))
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        match path.strip("/").split("/"):
            case ["api", "whoami-v2"]:
                self._send_user()
            case ["api", "models"]:
                self._send_search(query)
            case ["api", "models", owner, name, *rest]:
                self._send_details(f"{owner}/{name}", [unquote(part) for part in rest], query)
            case ["datasets", owner, name, "resolve", revision, *file]:
                self._resolve(f"datasets/{owner}/{name}", unquote(revision), "/".join(map(unquote, file)))
            case ["large", digest]:
                self._send_large(digest)
            case [owner, name, "resolve", revision, *file]:
                self._resolve(f"{owner}/{name}", unquote(revision), "/".join(map(unquote, file)))
            case _:
                self._error(404)

    def log_message(self, *_: object) -> None:
        """Log nothing: tests read `Hub.requests` instead."""

    @property
    def _is_read_only(self) -> bool:
        return (self.headers["Authorization"] or "").removeprefix("Bearer ") in self._hub.read_only_tokens

    @property
    def _user(self) -> str | None:
        return self._hub.tokens.get((self.headers["Authorization"] or "").removeprefix("Bearer "))

    # Access.

    def _find_readable(self, id: str, *, files: bool) -> Repository | None:
        """Return the repository, or send an error. Everyone may see a gated repository, but not read its files."""
        if self.headers["Authorization"] and self._user is None:
            self._error(401, message="Invalid credentials in Authorization header")
            return None
        repository = self._hub.repositories.get(id)
        may_read = (self._user, id) in self._hub.accepted
        if repository is None or (repository.private and not may_read):
            self._error(404 if self._user else 401, "RepoNotFound", "Repository not found")
            return None
        if files and repository.gated and not may_read:
            self._error(403 if self._user else 401, "GatedRepo", "Access to this model is restricted.")
            return None
        return repository

    # Responses.

    def _send_user(self) -> None:
        if self._user is None:
            self._error(401, message="Invalid credentials in Authorization header")
        else:
            token = {"displayName": "A token", "role": "read" if self._is_read_only else "write"}
            organizations = [
                {"name": name, "roleInOrg": "write"} for name in self._hub.organizations.get(self._user, ())
            ]
            auth = {"type": "access_token", "accessToken": token}
            self._json({"type": "user", "name": self._user, "orgs": organizations, "auth": auth})

    def _send_search(self, query: dict[str, list[str]]) -> None:
        results = listing.search(self._hub.repositories.values(), query)
        start = int(query.get("cursor", ["0"])[0])
        limit = min(int(query.get("limit", ["1000"])[0]), self._hub.page_size)
        headers = {}
        if start + limit < len(results):
            rest = self.path.partition("?")[2].partition("&cursor=")[0]
            headers["Link"] = f'<{self._hub.endpoint}/api/models?{rest}&cursor={start + limit}>; rel="next"'
        self._json([listing.summary(repository) for repository in results[start : start + limit]], headers)

    def _send_details(self, id: str, rest: list[str], query: dict[str, list[str]]) -> None:
        if (repository := self._find_readable(id, files=False)) is None:
            return
        match rest:
            case []:
                commit = repository.main
            case ["revision" | "tree", revision]:
                commit = repository.resolve(revision)
            case _:
                self._error(404)
                return
        if commit is None:
            self._error(404, "RevisionNotFound", "Invalid rev id")
        elif rest and rest[0] == "tree":
            self._json(listing.tree(repository, commit))
        else:
            self._json(listing.details(repository, commit, with_sizes="blobs" in query))

    def _resolve(self, id: str, revision: str, name: str) -> None:
        if (repository := self._find_readable(id, files=True)) is None:
            return
        commit = repository.resolve(revision)
        if commit is None:
            self._error(404, "RevisionNotFound", "Invalid rev id")
            return
        file = repository.commits[commit].get(name)
        if file is None:
            self._error(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
            return
        digest = repository.digests[file]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{digest}"'}
        if not file.is_large:
            self._send(file, headers)
            return
        location = f"http://{self._hub.large_file_host}/large/{digest}?for={quote(name)}"
        if isinstance(self._fault, WrongRedirect):
            location = self._fault.location
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{digest}"', "Location": location}
        self._head(302, 0, headers)

    def _send_large(self, digest: str) -> None:
        for repository in self._hub.repositories.values():
            for file, of_file in repository.digests.items():
                if of_file == digest:
                    self._send(file, {"ETag": f'"{digest}"'})
                    return
        self._error(404)

    # Sending.

    def _send(self, file: HubFile, headers: dict[str, str]) -> None:
        fault = self._fault
        if isinstance(fault, WrongContent | WrongLength):
            file = HubFile(_damage(file.read(), fault))
        actual = HubFile(file.content).size
        range_header = self.headers["Range"] if not isinstance(fault, NoRange) else None
        start, end = _parse_range(range_header, actual)
        headers |= {"Accept-Ranges": "bytes"}
        if start and start >= actual:
            self._head(416, 0, {"Content-Range": f"bytes */{actual}"})
            return
        if isinstance(fault, LimitRange) and end - start > fault.largest_bytes:
            self._error(400)
            return
        if range_header:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{actual}"
        self._head(206 if range_header else 200, end - start, headers)
        if self.command == "GET":
            self._body(file.content, start, end, fault)

    def _body(self, content: bytes | Path, start: int, end: int, fault: Fault | None) -> None:
        sent = 0
        stop = fault.after_bytes if isinstance(fault, Cut | Hold) else None
        for block in _blocks(content, start, end):
            if stop is not None and sent <= stop < sent + len(block):
                self.wfile.write(block[: stop - sent])
                if isinstance(fault, Cut):
                    self.close_connection = True
                    return
                fault.reached.set()
                fault.released.wait()
                self.wfile.write(block[stop - sent :])
            elif isinstance(fault, Slow):
                self._send_slowly(block, fault.bytes_per_s)
            else:
                self.wfile.write(block)
            sent += len(block)

    def _send_slowly(self, block: bytes, bytes_per_s: int) -> None:
        step = max(1, bytes_per_s // 20)
        for at in range(0, len(block), step):
            self.wfile.write(block[at : at + step])
            _NEVER.wait(0.05)

    def _json(self, value: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        if isinstance(self._fault, WrongContent):
            body = b"<html>Please sign in to this network</html>"
        self._head(200, len(body), {"Content-Type": "application/json", **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str = "", message: str = "", headers: dict[str, str] | None = None) -> None:
        body = json.dumps({"error": message}).encode() if message else b""
        extra = {"X-Error-Code": code} if code else {}
        extra |= {"X-Error-Message": message} if message else {}
        self._head(status, len(body), {"Content-Type": "application/json", **extra, **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _blocks(content: bytes | Path, start: int, end: int) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content[start:end]
        return
    with content.open("rb") as file:
        file.seek(start)
        while block := file.read(min(_BLOCK, end - file.tell())):
            yield block


def _damage(content: bytes, fault: WrongContent | WrongLength) -> bytes:
    if isinstance(fault, WrongContent):
        return bytes(byte ^ 0xFF for byte in content)
    return content + bytes(fault.by) if fault.by > 0 else content[: fault.by]


def _parse_range(header: str | None, size: int) -> tuple[int, int]:
    """Return the start and end of the requested range; the end is exclusive."""
    start, _, last = (header or "").removeprefix("bytes=").partition("-")
    return int(start or 0), min(size, int(last) + 1) if last else size
