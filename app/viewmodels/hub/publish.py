"""One conversion about to be published: the card for it, and what a person is asked before anything is sent."""

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
class Idle:
    """No model was chosen."""


@dataclass(frozen=True, slots=True)
class Drafting:
    """A process writes the card."""

    model: ModelDescription


@dataclass(frozen=True, slots=True)
class Trouble:
    """The model cannot be published at all; `error` is the class in `errors.py`."""

    model: ModelDescription
    title: str
    message: str
    error: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether another try may help."""
        return self.error != "NotPublishable"


@dataclass(frozen=True, slots=True)
class Editing:
    """The person looks through what is going to be sent. `problem` is why it could not go on, `error` its class in
    `errors.py`; with `is_looking` the Hub is being asked.
    """

    model: ModelDescription
    repository: str
    card: str
    named: str
    """The repository that the card speaks of."""
    account: str = ""
    is_public: bool = False
    warnings: tuple[str, ...] = ()
    problem: str = ""
    error: str = ""
    is_looking: bool = False

    @property
    def license(self) -> str:
        """The one that the card names."""
        return license_of(self.card)

    @property
    def notes(self) -> list[str]:
        """What to read before it is published."""
        return [*filter(None, [license_warning(self.license)]), *self.warnings]

    @property
    def base_model(self) -> str:
        return ", ".join(read_metadata(self.card).get("base_model", ()))

    @property
    def text(self) -> str:
        """The card as people see it."""
        return without_metadata(self.card)


@dataclass(frozen=True, slots=True)
class Asking:
    """Everything is known; nothing is sent before the person agrees. `replaces` is whether another model may go."""

    draft: Editing
    target: PublishTarget
    replaces: bool = False

    @property
    def can_send(self) -> bool:
        return self.target.contents != "another model" or self.replaces


State = Idle | Drafting | Trouble | Editing | Asking


class Publishing(QObject):
    """`publish` takes what the person has agreed to; it may refuse with a `FacetError`."""

    changed = Signal()
    started = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(
        self, questions: Questions, publish: Callable[[Publish], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._questions, self._publish = questions, publish
        self.state: State = Idle()

    def open(self, model: ModelDescription) -> None:
        """Turn to this model, and let a card be written for it."""
        self._become(Drafting(model))
        request = DraftCard(id=new_id(), folder=str(model.path))
        self._questions.ask(request, self._take_draft, latest_only=True)

    def try_again(self) -> None:
        if isinstance(self.state, Trouble):
            self.open(self.state.model)

    def follow_sign_in(self) -> None:
        """Propose a name below the account now that there is one."""
        if isinstance(self.state, Editing) and not self.state.account:
            self.open(self.state.model)

    def set_repository(self, repository: str) -> None:
        """Publish under this name; once it is one, the card follows where it tells how to use the model."""
        if isinstance(self.state, Editing) and repository != self.state.repository:
            draft = replace(self.state, repository=repository, problem="", error="")
            if _full_name.fullmatch(repository):
                draft = replace(draft, card=_renamed(draft.card, draft.named, repository), named=repository)
            self._become(draft)

    def set_public(self, *, is_public: bool) -> None:
        if isinstance(self.state, Editing) and is_public != self.state.is_public:
            self._become(replace(self.state, is_public=is_public, problem="", error=""))

    def set_card(self, card: str) -> None:
        if isinstance(self.state, Editing) and card != self.state.card:
            self._become(replace(self.state, card=card, problem="", error=""))

    def review(self) -> None:
        """Find out what sending would do, to ask the person about it."""
        match self.state:
            case Editing(is_looking=False) as draft:
                self._become(replace(draft, is_looking=True, problem="", error=""))
                self._questions.ask(_look(draft), self._take_target)

    def replace_other(self, *, replaces: bool) -> None:
        """Allow that the model goes that has the name now, or forbid it."""
        if isinstance(self.state, Asking):
            self._become(replace(self.state, replaces=replaces))

    def go_back(self) -> bool:
        """Go back to the draft; tell whether there was a step back to go."""
        if isinstance(self.state, Asking):
            self._become(self.state.draft)
            return True
        return False

    def send(self) -> None:
        """Put what the person has agreed to into the queue."""
        if not isinstance(self.state, Asking) or not self.state.can_send:
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
        self._become(Idle())
        self.started.emit()

    def close(self) -> None:
        """End the process that was asked; the next question starts another."""
        self._questions.close()

    def _take_draft(self, event: JobReply) -> None:
        if not isinstance(self.state, Drafting):
            return
        if isinstance(event, CardDraft):
            self._become(
                Editing(
                    self.state.model,
                    event.repository,
                    event.card,
                    named=event.repository,
                    account=event.account,
                    warnings=event.warnings,
                )
            )
        elif isinstance(event, RequestFailed):
            self._become(Trouble(self.state.model, event.title, event.message, event.error))

    def _take_target(self, event: JobReply) -> None:
        if not isinstance(self.state, Editing):
            return
        draft = replace(self.state, is_looking=False)
        if isinstance(event, PublishTarget):
            self._become(Asking(draft, event))
        elif isinstance(event, RequestFailed):
            self._become(replace(draft, problem=event.message, error=event.error))

    def _become(self, state: State) -> None:
        self.state = state
        self.changed.emit()


def _look(draft: Editing) -> InspectTarget:
    return InspectTarget(
        id=new_id(),
        folder=str(draft.model.path),
        repository=draft.repository,
        card=draft.card,
        is_public=draft.is_public,
    )


def _renamed(card: str, before: str, after: str) -> str:
    """Return the card with the new name, in its title too as long as that is the one that was written."""
    old, new = (f"\n# {name.rpartition('/')[2]}\n" for name in (before, after))
    return card.replace(old, new, 1).replace(before, after)
