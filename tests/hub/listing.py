"""Search results and repository details of the test Hub, in the format of the Hub's API."""

from collections.abc import Iterable
from typing import Any

from tests.hub.repository import HubFile, Repository

_SORT_FIELDS = {"downloads": "downloads", "likes": "likes", "lastModified": "updated"}


def search(repositories: Iterable[Repository], query: dict[str, list[str]]) -> list[Repository]:
    """Return the repositories that match the query, sorted as requested."""

    def matches(repository: Repository) -> bool:
        terms = query.get("search", [""])[0].casefold().split()
        gated = query.get("gated")
        return (
            not repository.private
            and all(term in repository.id.casefold() for term in terms)
            and all(tag in repository.tags for tag in query.get("filter", []))
            and query.get("pipeline_tag", [repository.pipeline_tag])[0] == repository.pipeline_tag
            and query.get("author", [repository.id.partition("/")[0]])[0] == repository.id.partition("/")[0]
            and (gated is None or (gated[0].lower() == "true") == bool(repository.gated))
        )

    field = _SORT_FIELDS[query.get("sort", ["downloads"])[0]]
    return sorted(filter(matches, repositories), key=lambda repository: getattr(repository, field), reverse=True)


def summary(repository: Repository) -> dict[str, Any]:
    """Return a search result with all fields of `expand`."""
    return {
        "id": repository.id,
        "modelId": repository.id,
        "author": repository.id.partition("/")[0],
        "private": repository.private,
        "gated": repository.gated or False,
        "downloads": repository.downloads,
        "likes": repository.likes,
        "lastModified": repository.updated,
        "tags": list(repository.tags),
        "pipeline_tag": repository.pipeline_tag,
        "library_name": "mlx" if "mlx" in repository.tags else "transformers",
        "cardData": repository.card_data,
        "config": repository.config,
        **(
            {
                "safetensors": {
                    "parameters": repository.tensor_counts,
                    "total": sum(repository.tensor_counts.values()),
                }
            }
            if repository.tensor_counts
            else {}
        ),
    }


def details(repository: Repository, commit: str, *, with_sizes: bool) -> dict[str, Any]:
    """Return the details of a repository at a commit."""
    files = repository.commits[commit]
    siblings = [{"rfilename": name, **(_sizes(repository, file) if with_sizes else {})} for name, file in files.items()]
    return {**summary(repository), "sha": commit, "siblings": siblings}


def tree(repository: Repository, commit: str) -> list[dict[str, Any]]:
    """Return the files as a tree listing."""
    rows = []
    for name, file in repository.commits[commit].items():
        digest = repository.digests[file]
        row: dict[str, Any] = {"type": "file", "path": name, "size": file.size, "oid": digest}
        if file.is_large:
            row["lfs"] = {"oid": digest, "size": file.size, "pointerSize": 134}
        rows.append(row)
    return rows


def _sizes(repository: Repository, file: HubFile) -> dict[str, Any]:
    digest = repository.digests[file]
    if not file.is_large:
        return {"size": file.size, "blobId": digest}
    return {
        "size": file.size,
        "blobId": digest[:40],
        "lfs": {"size": file.size, "sha256": digest, "pointerSize": 134},
    }
