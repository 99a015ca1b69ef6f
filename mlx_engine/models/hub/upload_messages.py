"""Messages about publishing between Facet and a job process, sent as JSON.

parent                             job process
DraftCard ────────────────────────►
  ◄──────────────────────────────── CardDraft | RequestFailed
InspectTarget ─────────────────────►
  ◄──────────────────────────────── PublishTarget | RequestFailed
Publish ──────────────────────────►
  ◄── PublishPlanned … PublishProgress | Waiting … Published | RequestFailed

The first two send nothing of the model. Their results are shown to the user for confirmation.
"""

from typing import Literal

import msgspec

from mlx_engine.hub_messages import FileProgress
from mlx_engine.protocol import type_tag

TargetContents = Literal["nothing", "this model", "another model"]


class DraftCard(msgspec.Struct, frozen=True, kw_only=True, tag="draft_card", tag_field=type_tag):
    """Write a card for the model in `folder`.

    An empty `repository` means a suggested name, an empty `license` that of the base model.
    """

    id: str
    folder: str
    repository: str = ""
    license: str = ""


class CardDraft(msgspec.Struct, frozen=True, kw_only=True, tag="card_draft", tag_field=type_tag):
    """A draft of a model card.

    `card` is Markdown with metadata. `warnings` are sentences to read before publishing, other than on the license.
    """

    id: str
    repository: str
    account: str
    """The signed-in user; "" if signed out, or if the Hub cannot be reached."""
    card: str
    license: str
    """The Hub's name for it; "" if unknown."""
    base_model: str
    warnings: tuple[str, ...]


class OutgoingFile(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int


class InspectTarget(msgspec.Struct, frozen=True, kw_only=True, tag="inspect_target", tag_field=type_tag):
    """Ask for the effect of publishing the model in `folder` as `repository`."""

    id: str
    folder: str
    repository: str
    card: str
    is_public: bool = False


class PublishTarget(msgspec.Struct, frozen=True, kw_only=True, tag="publish_target", tag_field=type_tag):
    """The account, repository and files of an upload, for the user to confirm."""

    id: str
    account: str
    repository: str
    exists: bool
    is_public: bool
    """The visibility of the existing repository, or of the one to create."""
    contents: TargetContents
    files: tuple[OutgoingFile, ...]

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class Publish(msgspec.Struct, frozen=True, kw_only=True, tag="publish", tag_field=type_tag):
    """Publish the model in `folder` on the Hub as `repository` with `card`, after the user has confirmed.

    `updates` allows replacing another model with the same name.
    """

    id: str
    folder: str
    repository: str
    card: str
    is_public: bool = False
    updates: bool = False


class PublishPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="publish_planned", tag_field=type_tag):
    """The plan of an upload; files that the Hub already has are not sent again."""

    id: str
    repository: str
    files: tuple[FileProgress, ...]
    total_bytes: int
    missing_bytes: int


class PublishProgress(msgspec.Struct, frozen=True, kw_only=True, tag="publish_progress", tag_field=type_tag):
    """Progress of an upload; `files` are those in transfer. `remaining_s` is None while it cannot be estimated."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    files: tuple[FileProgress, ...]


class Published(msgspec.Struct, frozen=True, kw_only=True, tag="published", tag_field=type_tag):
    """The complete model is on the Hub; `address` is its page. `commit` is an older one if nothing has changed."""

    id: str
    repository: str
    commit: str
    address: str
    size_bytes: int


UploadRequest = DraftCard | InspectTarget | Publish
UploadEvent = CardDraft | PublishTarget | PublishPlanned | PublishProgress | Published
UNDERWAY = (PublishPlanned, PublishProgress)
"""Events that are not the last of their request."""
