"""Where a model is going to be published: who may write there, and what is there already."""

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

_BARE = frozenset({".gitattributes", "README.md"})
"""What a repository contents that nobody has put a model in, or whose first upload was broken off."""


@dataclass(frozen=True, slots=True)
class Target:
    """A repository that the account may write to; `digests` are those of its files, by name."""

    account: str
    repository: str
    exists: bool
    is_public: bool
    contents: TargetContents
    commit: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def inspect_target(repository: str, model: Provenance, hub: Hub, *, is_public: bool) -> Target:
    """Return what is at `repository`, for the model that says `model` of itself.

    Raises:
        NeedsToken: nobody is signed in.
        ReadOnlyToken: the account may not write there, or not by this token.
        NameTaken: it is there, and visible to others than it should be.
        HubNotFound: it is no name of a repository.
        HubError: the Hub cannot be asked.
    """
    if not hub.token:
        raise NeedsToken("Publishing needs an account on the Hub. Sign in with an access token that may write.")
    with hub.translate_errors(repository):
        validate_repo_id(repository)
        if repository.count("/") != 1:
            raise HubNotFound(f"{repository!r} is not the name of a repository, which is owner/name.")
        account = hub.get("/api/whoami-v2").json()
        name = str(account["name"])
        _check_rights(account, name, repository)
    try:
        listing = hub.list_files(repository, "main")
    except HubNotFound:
        return Target(name, repository, exists=False, is_public=is_public, contents="nothing")
    digests = {file.name: file.digest for file in listing.files}
    found = Target(
        name, repository, exists=True, is_public=not listing.info.private,
        contents=_contents(repository, digests, model, hub), commit=listing.commit, digests=digests,
    )  # fmt: skip
    if found.is_public != is_public:
        now, wanted = ("public", "private") if found.is_public else ("private", "public")
        raise NameTaken(
            f"{repository} is there already and is {now}, not {wanted}. Facet does not change that: do it in its "
            f"settings on the Hub, publish it as {now}, or choose another name."
        )
    return found


def _contents(repository: str, digests: Mapping[str, str], model: Provenance, hub: Hub) -> TargetContents:
    if digests.keys() <= _BARE:
        return "nothing"
    if provenance.FILE_NAME not in digests:
        return "another model"
    try:
        with hub.translate_errors(repository):
            text = hub.get(f"/{repository}/resolve/main/{provenance.FILE_NAME}").content
        there = msgspec.json.decode(text, type=Provenance)
    except (HubNotFound, msgspec.DecodeError, UnicodeDecodeError):
        return "another model"
    return "this model" if _origin(there) == _origin(model) else "another model"


def _origin(model: Provenance) -> tuple[str, str, dict[str, Any]]:
    """Return what makes a conversion the same one, also when it was done again with other versions."""
    return model.source, model.recipe, model.settings


def _check_rights(account: Mapping[str, Any], name: str, repository: str) -> None:
    """See that account and token allow writing there, as far as the Hub says so beforehand."""
    owner, _, rest = repository.partition("/")
    token = account.get("auth", {}).get("accessToken") or {}
    role = token.get("role", "write")
    if role == "read":
        raise read_only(repository)
    if role == "fineGrained":
        if not _grants_writing(token.get("fineGrained") or {}, owner, repository):
            raise read_only(repository)
    elif owner != name and not _is_member(account, owner):
        raise ReadOnlyToken(
            f"You are signed in as {name}, who may not write to what belongs to {owner}. Call it {name}/{rest}, or "
            "sign in with another access token."
        )


def _is_member(account: Mapping[str, Any], owner: str) -> bool:
    return any(one.get("name") == owner and one.get("roleInOrg") != "read" for one in account.get("orgs") or ())


def _grants_writing(rights: Mapping[str, Any], owner: str, repository: str) -> bool:
    return any(
        scope.get("entity", {}).get("name") in (owner, repository) and "repo.write" in scope.get("permissions", ())
        for scope in rights.get("scoped") or ()
    )
