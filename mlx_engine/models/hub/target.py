"""The repository that a model will be published to: write permission and existing contents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported lazily

from mlx_engine.errors import HubNotFound, NameTaken, NeedsToken, ReadOnlyToken
from mlx_engine.models.description import provenance
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.upload_messages import TargetContents
from mlx_engine.models.hub.write_api import read_only

_EMPTY = frozenset({".gitattributes", "README.md"})
"""The files of a repository without a model, for example after an interrupted first upload."""


@dataclass(frozen=True, slots=True)
class Target:
    """A repository that the account can write to; `digests` are those of its files, by name."""

    account: str
    repository: str
    exists: bool
    is_public: bool
    contents: TargetContents
    commit: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def inspect_target(repository: str, model: Provenance, hub: Hub, *, is_public: bool) -> Target:
    """Return the target `repository` for the model with the provenance `model`.

    Raises:
        NeedsToken: the user is signed out.
        ReadOnlyToken: the account or the token has no write permission.
        NameTaken: the repository exists with another visibility.
        HubNotFound: the name is not valid.
        HubError: the Hub cannot be reached.
    """
    if not hub.token:
        raise NeedsToken("Publishing needs a Hugging Face account. Sign in with an access token that can write.")
    with hub.translate_errors(repository):
        validate_repo_id(repository)
        if repository.count("/") != 1:
            raise HubNotFound(f"{repository!r} is not a valid repository name. Use OWNER/NAME.")
        account = hub.get("/api/whoami-v2").json()
        name = str(account["name"])
        _check_permission(account, name, repository)
    try:
        listing = hub.list_files(repository, "main")
    except HubNotFound:
        return Target(name, repository, exists=False, is_public=is_public, contents="nothing")
    digests = {file.name: file.digest for file in listing.files}
    target = Target(
        name, repository, exists=True, is_public=not listing.info.private,
        contents=_contents(repository, digests, model, hub), commit=listing.commit, digests=digests,
    )  # fmt: skip
    if target.is_public != is_public:
        current, requested = ("public", "private") if target.is_public else ("private", "public")
        raise NameTaken(
            f"{repository} already exists and is {current}, not {requested}. Change its visibility on the Hub, publish "
            f"it as {current}, or choose another name."
        )
    return target


def _contents(repository: str, digests: Mapping[str, str], model: Provenance, hub: Hub) -> TargetContents:
    if digests.keys() <= _EMPTY:
        return "nothing"
    if provenance.FILE_NAME not in digests:
        return "another model"
    try:
        with hub.translate_errors(repository):
            text = hub.get(f"/{repository}/resolve/main/{provenance.FILE_NAME}").content
        existing = msgspec.json.decode(text, type=Provenance)
    except (HubNotFound, msgspec.DecodeError, UnicodeDecodeError):
        return "another model"
    return "this model" if _origin(existing) == _origin(model) else "another model"


def _origin(model: Provenance) -> tuple[str, str, dict[str, Any]]:
    """Return the fields that identify a conversion, even if it was repeated with other versions."""
    return model.source, model.recipe, model.settings


def _check_permission(account: Mapping[str, Any], name: str, repository: str) -> None:
    """Check the write permissions that the Hub states in advance."""
    owner, _, rest = repository.partition("/")
    token = account.get("auth", {}).get("accessToken") or {}
    role = token.get("role", "write")
    if role == "read":
        raise read_only(repository)
    if role == "fineGrained":
        if not _can_write(token.get("fineGrained") or {}, owner, repository):
            raise read_only(repository)
    elif owner != name and not _is_member(account, owner):
        raise ReadOnlyToken(
            f"You are signed in as {name}, who can't write to repositories of {owner}. Use {name}/{rest}, or sign in "
            "with another access token."
        )


def _is_member(account: Mapping[str, Any], owner: str) -> bool:
    organizations = account.get("orgs") or ()
    return any(entry.get("name") == owner and entry.get("roleInOrg") != "read" for entry in organizations)


def _can_write(permissions: Mapping[str, Any], owner: str, repository: str) -> bool:
    return any(
        scope.get("entity", {}).get("name") in (owner, repository) and "repo.write" in scope.get("permissions", ())
        for scope in permissions.get("scoped") or ()
    )
