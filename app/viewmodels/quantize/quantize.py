"""One model about to be quantized: which recipes are chosen for it, what that gives, and what stands against it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.library.imports import OWNER
from app.viewmodels.library.memory_fit import USUAL_CONTEXT
from app.viewmodels.quantize.conversion_plan import ConversionPlan, planned, usual_name
from app.viewmodels.quantize.recipe_cards import RecipeCard, RecipeForecast, RecipeForecaster
from app.viewmodels.quantize.recipe_store import RecipeStore
from app.viewmodels.quantize.state import (
    FetchingModel,
    ModelFailed,
    NoModel,
    PendingDownload,
    QuantizeState,
    ReadingModel,
    RecipesReady,
    RepositoryFailed,
)
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError
from mlx_engine.models.description.describe import ModelDescription, describe
from mlx_engine.models.hub.cache import free_bytes
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import RequestFailed, new_id
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.messages import Convert, OutlineRead, ReadOutline
from mlx_engine.quantize.recipes.recipe import Recipe

FIRST_CHOICE, FIRST_CHOICE_OF_QUANTIZED = "balanced-4bit", "lossless"
_REMOVING_HELPS = "There is room if the original's files are removed as they are used."
_BLINDED = "This model can see. Facet keeps the text model only: the result will not."


class Quantize(QObject):
    """`convert` takes the conversions that the person starts; it may refuse with a `FacetError`."""

    changed = Signal()  # the model, or what is known of it
    cards_changed = Signal()  # the cards, or their figures
    plans_changed = Signal()  # what is chosen, or what stands against it
    problem = Signal(str, str)  # title, message
    started = Signal(int)  # how many conversions

    def __init__(
        self,
        models: Path,
        questions: Questions,
        recipe_store: RecipeStore,
        machine: Machine,
        convert: Callable[[Convert], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._models, self._questions, self.recipe_store, self._machine = models, questions, recipe_store, machine
        self._convert = convert
        self.state: QuantizeState = NoModel()
        self.cards: list[RecipeCard] = []
        self.context = USUAL_CONTEXT
        self._chosen: dict[str, str] = {}
        """The names that were given to the results, by the recipes' names; "" is the usual one."""
        self._removes_source = False
        recipe_store.changed.connect(self._reckon)

    def open(self, model: ModelDescription) -> None:
        """Turn to this model."""
        if isinstance(self.state, RecipesReady) and self.state.model == model:
            self.plans_changed.emit()
            return
        self.state, self.cards, self._chosen, self._removes_source = ReadingModel(model), [], {}, False
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), str(model.path)), self._take, latest_only=True)

    def open_repository(self, repository: str) -> None:
        """Turn to a model on the Hub, to be downloaded and quantized."""
        self.state, self.cards, self._chosen, self._removes_source = FetchingModel(repository), [], {}, False
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), repository=repository), self._take_fetched, latest_only=True)

    def describe(self, path: Path) -> ModelDescription | None:
        """Return what the folder or the GGUF file is; what is wrong with it is told as a problem."""
        try:
            return describe(path, f"{OWNER}/{path.stem if path.suffix == '.gguf' else path.name}")
        except FacetError as error:
            self.problem.emit(f"{path.name} cannot be quantized", error.message)
            return None

    def try_again(self) -> None:
        if isinstance(self.state, ModelFailed):
            model, self.state = self.state.model, NoModel()
            self.open(model)
        elif isinstance(self.state, RepositoryFailed):
            self.open_repository(self.state.repository)

    def set_context(self, tokens: int) -> None:
        """Reckon memory for so many tokens."""
        if tokens != self.context:
            self.context = tokens
            self._reckon()

    def is_chosen(self, name: str) -> bool:
        return name in self._chosen

    def choose(self, name: str, *, chosen: bool) -> None:
        """Choose the recipe of that name, or not."""
        card = self.card(name)
        if chosen == self.is_chosen(name) or card is None or card.problem:
            return
        if chosen:
            self._chosen[name] = ""
        else:
            del self._chosen[name]
        self.plans_changed.emit()

    def rename(self, name: str, result: str) -> None:
        """Call what the recipe `name` gives `result`."""
        if name in self._chosen and self._chosen[name] != result:
            self._chosen[name] = result
            self.plans_changed.emit()

    @property
    def can_remove_source(self) -> bool:
        """Whether the original may go once it is used: it must be used once only, and be no file of its own."""
        return isinstance(self.state, RecipesReady) and self.state.model.path.is_dir() and len(self._chosen) == 1

    @property
    def removes_source(self) -> bool:
        return self._removes_source and self.can_remove_source

    def remove_source(self, *, removes: bool) -> None:
        """Remove the weights of the original once the result is whole, or keep them."""
        self._removes_source = removes
        self.plans_changed.emit()

    @property
    def coming(self) -> PendingDownload | None:
        """What is to be downloaded, if the model is not here."""
        return self.state.coming if isinstance(self.state, RecipesReady) else None

    def card(self, name: str) -> RecipeCard | None:
        return next((card for card in self.cards if card.name == name), None)

    @property
    def plans(self) -> list[ConversionPlan]:
        """What is chosen, in the order of the cards."""
        plans: list[ConversionPlan] = []
        if isinstance(self.state, RecipesReady):
            model, taken = self.state.model, set[str]()
            for card in self.cards:
                if self.is_chosen(card.name):
                    name = self._chosen[card.name] or usual_name(model, card.recipe)
                    plans.append(planned(card, name, model.path, self._folder(model), taken))
                    taken.add(name.casefold())
        return plans

    @property
    def warnings(self) -> list[str]:
        """What a person should know before, whatever is chosen."""
        if not isinstance(self.state, RecipesReady):
            return []
        is_blinded = self.state.model.vision == "present"
        return [*self.state.notes, *([_BLINDED] if is_blinded else [])]

    @property
    def obstacle(self) -> str:
        """Why nothing of what is chosen can be begun; "" if nothing stands against it."""
        problem = preflight.disk_problem(self._models, self.needed_bytes)
        if not problem or self.coming is None or self.removes_source or not self.can_remove_source:
            return problem
        less = self.needed_bytes - self.coming.missing_bytes + self.coming.least_bytes
        return problem if preflight.disk_problem(self._models, less) else f"{problem} {_REMOVING_HELPS}"

    @property
    def needed_bytes(self) -> int:
        """What all that is chosen takes on the disk, with what is downloaded for it at the time when it takes most."""
        if not isinstance(self.state, RecipesReady):
            return 0
        weights = [plan.card.forecast.conversion.size_bytes for plan in self.plans if plan.card.forecast]
        results = sum(weights) + len(weights) * preflight.companions_bytes(self.state.model)
        if self.coming is None:
            return results
        return results + (self.coming.least_bytes if self.removes_source else self.coming.missing_bytes)

    @property
    def free_bytes(self) -> int:
        """What is free on the disk where the results go."""
        return free_bytes(self._models)

    @property
    def can_start(self) -> bool:
        plans = self.plans
        return bool(plans) and not self.obstacle and not any(plan.problem for plan in plans)

    def start(self) -> None:
        """Put the conversions that are chosen into the queue."""
        if not self.can_start or not isinstance(self.state, RecipesReady):
            return
        requests = [(plan, self._request(self.state.model, plan)) for plan in self.plans]
        for plan, request in requests:
            try:
                self._convert(request)
            except FacetError as error:
                self.problem.emit(f"{plan.name} was not begun", error.message)
                self.plans_changed.emit()
                return
            del self._chosen[plan.card.name]
        self._removes_source = False
        self.plans_changed.emit()
        self.started.emit(len(requests))

    def forecast(self, recipe: Recipe) -> RecipeForecast:
        """Say what a recipe gives that is no card yet. It must be one for this model."""
        assert isinstance(self.state, RecipesReady)  # noqa: S101 - there is nothing to edit before
        return self.state.forecaster.forecast(recipe)

    def save_recipe(self, recipe: Recipe, title: str, origin: Recipe) -> str:
        """Save an edited recipe and choose it; return its key, "" if it could not be saved."""
        saved = self.recipe_store.save(msgspec.structs.replace(recipe, purpose=f"Based on {origin.title}."), title)
        self.choose(saved, chosen=True)
        return saved

    def close(self) -> None:
        """End the process that reads."""
        self._questions.close()

    def _take_fetched(self, event: JobReply) -> None:
        if not isinstance(self.state, FetchingModel):
            return
        repository = self.state.repository
        try:
            if isinstance(event, RequestFailed):
                self.state = RepositoryFailed(repository, event.title, event.message)
            elif isinstance(event, OutlineRead):
                model = replace(describe(Path(event.path), repository), source=repository, revision=event.commit)
                self._show_ready(model, event, PendingDownload(event.missing_bytes, event.least_bytes))
        except FacetError as error:
            self.state = RepositoryFailed(repository, error.title, error.message)
        self.changed.emit()

    def _take(self, event: JobReply) -> None:
        if not isinstance(self.state, ReadingModel):
            return
        model = self.state.model
        if isinstance(event, RequestFailed):
            self.state = ModelFailed(model, event.title, event.message)
        elif isinstance(event, OutlineRead):
            self._show_ready(model, event)
        self.changed.emit()

    def _show_ready(self, model: ModelDescription, read: OutlineRead, coming: PendingDownload | None = None) -> None:
        self.state = RecipesReady(
            model, RecipeForecaster(model, read.outline, self._machine, self.context), read.notes, coming
        )
        self._reckon()
        self.choose(FIRST_CHOICE_OF_QUANTIZED if read.outline.quantization else FIRST_CHOICE, chosen=True)

    def _reckon(self) -> None:
        if isinstance(self.state, RecipesReady):
            forecaster = replace(self.state.forecaster, context=self.context)
            self.state = replace(self.state, forecaster=forecaster)
            self.cards = forecaster.cards(self.recipe_store.recipes)
            known = {card.name for card in self.cards if not card.problem}
            self._chosen = {name: result for name, result in self._chosen.items() if name in known}
            self.cards_changed.emit()
            self.plans_changed.emit()

    def _folder(self, model: ModelDescription) -> Path:
        return self._models / _owner(model)

    def _request(self, model: ModelDescription, plan: ConversionPlan) -> Convert:
        return Convert(
            id=new_id(),
            source="" if self.coming else str(model.path),
            target=str(self._folder(model) / plan.name),
            model_id=f"{_owner(model)}/{plan.name}",
            recipe=plan.card.recipe,
            repository=model.source,
            commit=model.revision,
            remove_source=self.removes_source,
        )


def _owner(model: ModelDescription) -> str:
    return model.id.rpartition("/")[0] or OWNER
