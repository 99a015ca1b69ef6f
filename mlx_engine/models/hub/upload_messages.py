"""What Facet and a job process say to each other about publishing: values that travel as JSON.

parent                             job process
DraftCard ────────────────────────►
  ◄──────────────────────────────── CardDraft | RequestFailed
InspectTarget ─────────────────────►
  ◄──────────────────────────────── PublishTarget | RequestFailed
Publish ──────────────────────────►
  ◄── PublishPlanned … PublishProgress | Waiting … Published | RequestFailed

The first two send nothing of the model: they are what a person is shown before being asked.
"""

from typing import Literal

import msgspec

from mlx_engine.hub_messages import FileProgress
from mlx_engine.protocol import type_tag

TargetContents = Literal["nothing", "this model", "another model"]


class DraftCard(msgspec.Struct, frozen=True, kw_only=True, tag="draft_card", tag_field=type_tag):
    """Write a card for the model in `folder`. Without a `repository` one is proposed; "" as the `license` is the one
    that is known.
    """

    id: str
    folder: str
    repository: str = ""
    license: str = ""


class CardDraft(msgspec.Struct, frozen=True, kw_only=True, tag="card_draft", tag_field=type_tag):
    """`card` is Markdown with its metadata. `warnings` are sentences to read before publishing, besides what its
    license asks for.
    """

    id: str
    repository: str
    account: str
    """Who is signed in; "" if nobody is, or if the Hub could not be asked."""
    card: str
    license: str
    """The Hub's own name of it; "" if it is not known."""
    base_model: str
    warnings: tuple[str, ...]


class OutgoingFile(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int


class InspectTarget(msgspec.Struct, frozen=True, kw_only=True, tag="inspect_target", tag_field=type_tag):
    """Find out what publishing the model in `folder` as `repository` would do."""

    id: str
    folder: str
    repository: str
    card: str
    is_public: bool = False


class PublishTarget(msgspec.Struct, frozen=True, kw_only=True, tag="publish_target", tag_field=type_tag):
    """What a person is asked about: who sends what to where."""

    id: str
    account: str
    repository: str
    exists: bool
    is_public: bool
    """Of a repository that exists what it is, else what it is going to be."""
    contents: TargetContents
    files: tuple[OutgoingFile, ...]

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class Publish(msgspec.Struct, frozen=True, kw_only=True, tag="publish", tag_field=type_tag):
    """Put the model in `folder` on the Hub as `repository`, with this `card`. The person has agreed to it.

    `updates` allows to replace another model that has the name.
    """

    id: str
    folder: str
    repository: str
    card: str
    is_public: bool = False
    updates: bool = False


class PublishPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="publish_planned", tag_field=type_tag):
    """What is going to be sent; what the Hub has already is not sent again."""

    id: str
    repository: str
    files: tuple[FileProgress, ...]
    total_bytes: int
    missing_bytes: int


class PublishProgress(msgspec.Struct, frozen=True, kw_only=True, tag="publish_progress", tag_field=type_tag):
    """How far it is; `files` are those being sent now. `remaining_s` is None while nobody can tell."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    files: tuple[FileProgress, ...]


class Published(msgspec.Struct, frozen=True, kw_only=True, tag="published", tag_field=type_tag):
    """The model is on the Hub, whole; `address` is its page. `commit` is an older one if nothing had changed."""

    id: str
    repository: str
    commit: str
    address: str
    size_bytes: int


UploadRequest = DraftCard | InspectTarget | Publish
UploadEvent = CardDraft | PublishTarget | PublishPlanned | PublishProgress | Published
UNDERWAY = (PublishPlanned, PublishProgress)
"""The events after which more come of the same request."""
