"""Publishing of a conversion: the draft of its card, and the confirmation before anything is sent."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError
from mlx_engine.models.description.card import read_metadata, without_metadata
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.hub.upload_messages import CardDraft, DraftCard, InspectTarget, Publish, PublishTarget
from mlx_engine.protocol import RequestFailed, new_id
from mlx_engine.quantize.publish.publish import license_of, license_warning

_full_name = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class NoConversion:
    """No model is selected."""


@dataclass(frozen=True, slots=True)
class Drafting:
    """A process is writing the card."""

    model: ModelDescription


@dataclass(frozen=True, slots=True)
class DraftFailure:
    """No card could be written; `error` is the class in `errors.py`."""

    model: ModelDescription
    title: str
    message: str
    error: str = ""

    @property
    def can_retry(self) -> bool:
        return self.error != "NotPublishable"


@dataclass(frozen=True, slots=True)
class Editing:
    """The user is editing the draft.

    `problem` is the message of the last failure, `error` its class in `errors.py`. `is_checking` is True while a
    process checks the repository.
    """

    model: ModelDescription
    repository: str
    card: str
    card_repository: str
    """The repository that the text of the card names."""
    account: str = ""
    is_public: bool = False
    warnings: tuple[str, ...] = ()
    problem: str = ""
    error: str = ""
    is_checking: bool = False

    @property
    def license(self) -> str:
        """The license named by the card."""
        return license_of(self.card)

    @property
    def notes(self) -> list[str]:
        """Sentences to read before publishing."""
        return [*filter(None, [license_warning(self.license)]), *self.warnings]

    @property
    def base_model(self) -> str:
        return ", ".join(read_metadata(self.card).get("base_model", ()))

    @property
    def text(self) -> str:
        """The card without its metadata, as readers see it."""
        return without_metadata(self.card)


@dataclass(frozen=True, slots=True)
class Confirming:
    """The user is confirming the upload. With `replaces`, another model in the repository may be replaced."""

    draft: Editing
    target: PublishTarget
    replaces: bool = False

    @property
    def can_send(self) -> bool:
        return self.target.contents != "another model" or self.replaces


PublishState = NoConversion | Drafting | DraftFailure | Editing | Confirming


class Publishing(QObject):
    """The state of publishing. `publish` adds the confirmed request to the queue, or raises a `FacetError`."""

    changed = Signal()
    started = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(
        self, questions: Questions, publish: Callable[[Publish], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._questions, self._publish = questions, publish
        self.state: PublishState = NoConversion()

    def open(self, model: ModelDescription) -> None:
        """Select a model, and draft a card for it."""
        self._set_state(Drafting(model))
        request = DraftCard(id=new_id(), folder=str(model.path))
        self._questions.ask(request, self._on_draft, latest_only=True)

    def retry(self) -> None:
        if isinstance(self.state, DraftFailure):
            self.open(self.state.model)

    def on_signed_in(self) -> None:
        """Suggest a repository of the new account."""
        if isinstance(self.state, Editing) and not self.state.account:
            self.open(self.state.model)

    def set_repository(self, repository: str) -> None:
        """Set the repository; if its name is valid, update the card too."""
        if isinstance(self.state, Editing) and repository != self.state.repository:
            draft = replace(self.state, repository=repository, problem="", error="")
            if _full_name.fullmatch(repository):
                card = _rename(draft.card, draft.card_repository, repository)
                draft = replace(draft, card=card, card_repository=repository)
            self._set_state(draft)

    def set_public(self, *, is_public: bool) -> None:
        if isinstance(self.state, Editing) and is_public != self.state.is_public:
            self._set_state(replace(self.state, is_public=is_public, problem="", error=""))

    def set_card(self, card: str) -> None:
        if isinstance(self.state, Editing) and card != self.state.card:
            self._set_state(replace(self.state, card=card, problem="", error=""))

    def review(self) -> None:
        """Check the repository, then ask the user to confirm."""
        match self.state:
            case Editing(is_checking=False) as draft:
                self._set_state(replace(draft, is_checking=True, problem="", error=""))
                self._questions.ask(_target_request(draft), self._on_target)

    def set_replaces(self, *, replaces: bool) -> None:
        """Allow or forbid replacing another model in the repository."""
        if isinstance(self.state, Confirming):
            self._set_state(replace(self.state, replaces=replaces))

    def go_back(self) -> bool:
        """Go back from the confirmation to the draft; return False if there was no confirmation."""
        if isinstance(self.state, Confirming):
            self._set_state(self.state.draft)
            return True
        return False

    def send(self) -> None:
        """Add the confirmed upload to the queue."""
        if not isinstance(self.state, Confirming) or not self.state.can_send:
            return
        draft = self.state.draft
        request = Publish(
            id=new_id(),
            folder=str(draft.model.path),
            repository=draft.repository,
            card=draft.card,
            is_public=draft.is_public,
            updates=self.state.replaces,
        )
        try:
            self._publish(request)
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return
        self.close()
        self._set_state(NoConversion())
        self.started.emit()

    def close(self) -> None:
        """End the process that drafts and checks; the next request starts another."""
        self._questions.close()

    def _on_draft(self, event: JobReply) -> None:
        if not isinstance(self.state, Drafting):
            return
        if isinstance(event, CardDraft):
            self._set_state(
                Editing(
                    self.state.model,
                    event.repository,
                    event.card,
                    card_repository=event.repository,
                    account=event.account,
                    warnings=event.warnings,
                )
            )
        elif isinstance(event, RequestFailed):
            self._set_state(DraftFailure(self.state.model, event.title, event.message, event.error))

    def _on_target(self, event: JobReply) -> None:
        if not isinstance(self.state, Editing):
            return
        draft = replace(self.state, is_checking=False)
        if isinstance(event, PublishTarget):
            self._set_state(Confirming(draft, event))
        elif isinstance(event, RequestFailed):
            self._set_state(replace(draft, problem=event.message, error=event.error))

    def _set_state(self, state: PublishState) -> None:
        self.state = state
        self.changed.emit()


def _target_request(draft: Editing) -> InspectTarget:
    return InspectTarget(
        id=new_id(),
        folder=str(draft.model.path),
        repository=draft.repository,
        card=draft.card,
        is_public=draft.is_public,
    )


def _rename(card: str, before: str, after: str) -> str:
    """Replace the repository's name in the card, and its title unless the user has changed it."""
    old, new = (f"\n# {name.rpartition('/')[2]}\n" for name in (before, after))
    return card.replace(old, new, 1).replace(before, after)
