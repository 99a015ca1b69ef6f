"""Uploads to the test Hub: creating repositories, storing and verifying large files, and making commits."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.hub.faults import Cut, Fault, Hold, Refuse, Slow
from tests.hub.repository import LARGE_SUFFIXES, HubFile, Repository

if TYPE_CHECKING:
    from tests.hub.server import Hub

_BLOCK = 1 << 16
_PART_BYTES = 1 << 20
"""With `Hub.accepts_parts`, large files are received in parts of this size."""


class UploadHandler(BaseHTTPRequestHandler):
    """Mixin for the requests that change something. Requests to the file storage must not contain a token."""

    _hub: "Hub"
    _fault: Fault | None

    def do_POST(self) -> None:
        self._start_request()
        body = self._read_all()
        if isinstance(self._fault, Refuse):
            self._error(self._fault.status, message=self._fault.message, headers=dict(self._fault.headers))
            return
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["api", "repos", "create"]:
                self._create(json.loads(body))
            case ["api", "models", owner, name, "preupload", "main"]:
                self._preupload(f"{owner}/{name}", json.loads(body))
            case ["api", "models", owner, name, "commit", "main"]:
                self._commit(f"{owner}/{name}", [json.loads(line) for line in body.splitlines()])
            case [owner, name, "info", "lfs", "objects", "batch"] if name.endswith(".git"):
                self._batch(f"{owner}/{name.removesuffix('.git')}", json.loads(body))
            case ["verify", digest]:
                self._json({}) if digest in self._hub.stored else self._error(404, message="Not stored")
            case ["complete", digest]:
                self._complete(digest, json.loads(body))
            case _:
                self._error(404)

    def do_PUT(self) -> None:
        self._start_request()
        if isinstance(self._fault, Refuse):
            self.close_connection = True
            self._error(self._fault.status, message=self._fault.message)
            return
        content = self._read_all()
        if content is None:
            return
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["store", digest]:
                self._store(digest, content)
            case ["store", digest, part]:
                self._hub.parts[digest, int(part)] = content
                self._head(200, 0, {"ETag": f'"{part}"'})

    def _store(self, digest: str, content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != digest:
            self._error(400, message="The checksum differs")
            return
        self._hub.stored[digest] = content
        self._head(200, 0, {})

    def _read_all(self) -> bytes:
        """Return the body; some faults interrupt it."""
        length = int(self.headers["Content-Length"] or 0)
        stop = self._fault.after_bytes if isinstance(self._fault, Cut | Hold) else None
        body = bytearray()
        while len(body) < length and (block := self.rfile.read(min(_BLOCK, length - len(body)))):
            body += block
            if isinstance(self._fault, Slow):
                self._hub.pause(len(block) / self._fault.bytes_per_s)
            if stop is not None and len(body) >= stop:
                if isinstance(self._fault, Cut):
                    self.connection.close()
                    raise ConnectionAbortedError
                assert isinstance(self._fault, Hold)
                self._fault.reached.set()
                self._fault.released.wait()
                stop = None
        return bytes(body)

    def _find_writable(self, id: str) -> Repository | None:
        """Return the repository, or send an error."""
        user = self._user
        if user is None:
            self._error(401, message="Invalid credentials in Authorization header")
        elif self._is_read_only or id.partition("/")[0] not in (user, *self._hub.organizations.get(user, ())):
            self._error(403, message="Forbidden: you must use a write token to push to a repository.")
        elif id not in self._hub.repositories:
            self._error(404, "RepoNotFound", "Repository not found")
        else:
            return self._hub.repositories[id]
        return None

    def _create(self, payload: dict[str, Any]) -> None:
        user = self._user
        name = f"{payload.get('organization') or user}/{payload['name']}"
        if user is None or self._is_read_only:
            self._error(
                403 if user else 401, message="You don't have the rights to create a model under this namespace"
            )
        elif name in self._hub.repositories:
            self._error(409, message="You already created this model repo")
        else:
            repository = self._hub.add(Repository(name, private=payload["visibility"] == "private"))
            repository.commit({".gitattributes": b"*.safetensors filter=lfs\n"})
            self._hub.accepted.add((user, name))
            self._json({"url": f"{self._hub.endpoint}/{name}"})

    def _preupload(self, id: str, payload: dict[str, Any]) -> None:
        if self._find_writable(id) is None:
            return
        self._json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if file["path"].endswith(LARGE_SUFFIXES) else "regular",
                        "shouldIgnore": False,
                    }
                    for file in payload["files"]
                ]
            }
        )

    def _batch(self, id: str, payload: dict[str, Any]) -> None:
        if self._find_writable(id) is None:
            return
        objects = []
        for entry in payload["objects"]:
            digest, size = entry["oid"], entry["size"]
            reply: dict[str, Any] = {"oid": digest, "size": size}
            if digest not in self._hub.stored:
                reply["actions"] = {
                    "upload": self._action(digest, size),
                    "verify": {"href": f"{self._hub.endpoint}/verify/{digest}"},
                }
            objects.append(reply)
        self._json({"transfer": "basic", "objects": objects})

    def _action(self, digest: str, size: int) -> dict[str, Any]:
        store = f"http://{self._hub.large_file_host}/store/{digest}"
        if not self._hub.accepts_parts:
            return {"href": store}
        count = -(-size // _PART_BYTES)
        parts = {f"{number:05d}": f"{store}/{number}" for number in range(1, count + 1)}
        return {"href": f"{self._hub.endpoint}/complete/{digest}", "header": {"chunk_size": str(_PART_BYTES), **parts}}

    def _complete(self, digest: str, payload: dict[str, Any]) -> None:
        numbers = [part["partNumber"] for part in payload["parts"]]
        if [part["etag"] for part in payload["parts"]] != [f'"{number}"' for number in numbers]:
            self._error(400, message="Wrong etags")
            return
        self._store(digest, b"".join(self._hub.parts[digest, number] for number in numbers))

    def _commit(self, id: str, lines: list[dict[str, Any]]) -> None:
        if (repository := self._find_writable(id)) is None:
            return
        files: dict[str, HubFile | bytes | Path] = dict(repository.commits[repository.main])
        if lines[0]["value"].get("parentCommit", repository.main) != repository.main:
            self._error(412, message="The branch is at another commit")
            return
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    if value["oid"] not in self._hub.stored:
                        self._error(400, message="A file of the commit was never uploaded")
                        return
                    files[value["path"]] = HubFile(self._hub.stored[value["oid"]])
                case "deletedFile":
                    del files[value["path"]]
        commit = repository.commit(files)
        self._json({"success": True, "commitOid": commit, "commitUrl": f"{self._hub.endpoint}/{id}/commit/{commit}"})
