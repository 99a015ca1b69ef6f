"""View-model of the Quantize page: one model, the selected recipes, and the planned conversions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.library.imports import OWNER
from app.viewmodels.library.memory_fit import USUAL_CONTEXT
from app.viewmodels.quantize.conversion_plan import ConversionPlan, default_name, plan_conversion
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
from mlx_engine.models.gguf.files import is_gguf, model_name
from mlx_engine.models.hub.cache import free_bytes
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import RequestFailed, new_id
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.messages import Convert, OutlineRead, ReadOutline
from mlx_engine.quantize.recipes.recipe import Recipe

FIRST_CHOICE = "balanced-4bit"
_FIRST_CHOICE_OF_UNRUNNABLE = "lossless"
_REMOVAL_HINT = "Removing the original's files after use would free enough space."
_VISION_LOSS = "Facet converts only the text part of this model. The result won't support images."


class Quantize(QObject):
    """`convert` starts a conversion, or raises a `FacetError`."""

    changed = Signal()  # the state
    cards_changed = Signal()  # the cards, or their forecasts
    plans_changed = Signal()  # the selection, or its problems
    problem = Signal(str, str)  # title, message
    started = Signal(int)  # number of conversions

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
        """The user's names for the results by recipe; "" means the default name."""
        self._removes_source = False
        recipe_store.changed.connect(self._refresh_forecasts)

    def open(self, model: ModelDescription) -> None:
        """Show the recipes for this model."""
        if isinstance(self.state, RecipesReady) and self.state.model == model:
            self.plans_changed.emit()
            return
        self.state, self.cards, self._chosen, self._removes_source = ReadingModel(model), [], {}, False
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), str(model.path)), self._on_model_read, latest_only=True)

    def open_repository(self, repository: str) -> None:
        """Show the recipes for a model on the Hub, to download and quantize it."""
        self.state, self.cards, self._chosen, self._removes_source = FetchingModel(repository), [], {}, False
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), repository=repository), self._on_repository_read, latest_only=True)

    def describe(self, path: Path) -> ModelDescription | None:
        """Return the model in a folder or a GGUF file; report errors as a problem."""
        try:
            return describe(path, f"{OWNER}/{model_name(path) if is_gguf(path) else path.name}")
        except FacetError as error:
            self.problem.emit(f"Couldn't open {path.name}", error.message)
            return None

    def try_again(self) -> None:
        if isinstance(self.state, ModelFailed):
            model, self.state = self.state.model, NoModel()
            self.open(model)
        elif isinstance(self.state, RepositoryFailed):
            self.open_repository(self.state.repository)

    def set_context(self, tokens: int) -> None:
        """Estimate memory for this context."""
        if tokens != self.context:
            self.context = tokens
            self._refresh_forecasts()

    def is_chosen(self, name: str) -> bool:
        return name in self._chosen

    def choose(self, name: str, *, chosen: bool) -> None:
        """Select or deselect a recipe."""
        card = self.card(name)
        if chosen == self.is_chosen(name) or card is None or card.problem:
            return
        if chosen:
            self._chosen[name] = ""
        else:
            del self._chosen[name]
        self.plans_changed.emit()

    def rename(self, name: str, result: str) -> None:
        """Name the result of the recipe `name`."""
        if name in self._chosen and self._chosen[name] != result:
            self._chosen[name] = result
            self.plans_changed.emit()

    @property
    def can_remove_source(self) -> bool:
        """The original can be removed after use: it is a folder, and only one recipe is selected."""
        return isinstance(self.state, RecipesReady) and self.state.model.path.is_dir() and len(self._chosen) == 1

    @property
    def removes_source(self) -> bool:
        return self._removes_source and self.can_remove_source

    def remove_source(self, *, removes: bool) -> None:
        """Remove the weights of the original after the conversion, or keep them."""
        self._removes_source = removes
        self.plans_changed.emit()

    @property
    def download(self) -> PendingDownload | None:
        """The download of a model on the Hub, None for a local model."""
        return self.state.download if isinstance(self.state, RecipesReady) else None

    def card(self, name: str) -> RecipeCard | None:
        return next((card for card in self.cards if card.name == name), None)

    @property
    def plans(self) -> list[ConversionPlan]:
        """The planned conversions, in the order of the cards."""
        plans: list[ConversionPlan] = []
        if isinstance(self.state, RecipesReady):
            model, used_names = self.state.model, set[str]()
            for card in self.cards:
                if self.is_chosen(card.name):
                    name = self._chosen[card.name] or default_name(model, card.recipe)
                    plans.append(plan_conversion(card, name, model.path, self._folder(model), used_names))
                    used_names.add(name.casefold())
        return plans

    @property
    def warnings(self) -> list[str]:
        """Warnings that apply to every recipe."""
        if not isinstance(self.state, RecipesReady):
            return []
        has_vision = self.state.model.vision == "present"
        return [*self.state.notes, *([_VISION_LOSS] if has_vision else [])]

    @property
    def obstacle(self) -> str:
        """The reason that the selection cannot be converted; "" if it can."""
        problem = preflight.disk_problem(self._models, self.needed_bytes)
        if not problem or self.download is None or self.removes_source or not self.can_remove_source:
            return problem
        less = self.needed_bytes - self.download.missing_bytes + self.download.least_bytes
        return problem if preflight.disk_problem(self._models, less) else f"{problem} {_REMOVAL_HINT}"

    @property
    def needed_bytes(self) -> int:
        """Disk space for the selection, including the peak of the download."""
        if not isinstance(self.state, RecipesReady):
            return 0
        weights = [plan.card.forecast.conversion.size_bytes for plan in self.plans if plan.card.forecast]
        results = sum(weights) + len(weights) * preflight.companions_bytes(self.state.model)
        if self.download is None:
            return results
        return results + (self.download.least_bytes if self.removes_source else self.download.missing_bytes)

    @property
    def free_bytes(self) -> int:
        """Free space on the disk of the results."""
        return free_bytes(self._models)

    @property
    def can_start(self) -> bool:
        plans = self.plans
        return bool(plans) and not self.obstacle and not any(plan.problem for plan in plans)

    def start(self) -> None:
        """Queue the planned conversions."""
        if not self.can_start or not isinstance(self.state, RecipesReady):
            return
        requests = [(plan, self._request(self.state.model, plan)) for plan in self.plans]
        for plan, request in requests:
            try:
                self._convert(request)
            except FacetError as error:
                self.problem.emit(f"Couldn't start {plan.name}", error.message)
                self.plans_changed.emit()
                return
            del self._chosen[plan.card.name]
        self._removes_source = False
        self.plans_changed.emit()
        self.started.emit(len(requests))

    def forecast(self, recipe: Recipe) -> RecipeForecast:
        """Return the forecast for a recipe in the editor, which must suit the model."""
        assert isinstance(self.state, RecipesReady)  # noqa: S101 - there is nothing to edit before
        return self.state.forecaster.forecast(recipe)

    def save_recipe(self, recipe: Recipe, title: str, origin: Recipe) -> str:
        """Save an edited recipe and choose it; return its key, "" if it could not be saved."""
        saved = self.recipe_store.save(msgspec.structs.replace(recipe, purpose=f"Based on {origin.title}."), title)
        self.choose(saved, chosen=True)
        return saved

    def close(self) -> None:
        """End the process that reads models."""
        self._questions.close()

    def _on_repository_read(self, event: JobReply) -> None:
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

    def _on_model_read(self, event: JobReply) -> None:
        if not isinstance(self.state, ReadingModel):
            return
        model = self.state.model
        if isinstance(event, RequestFailed):
            self.state = ModelFailed(model, event.title, event.message)
        elif isinstance(event, OutlineRead):
            self._show_ready(model, event)
        self.changed.emit()

    def _show_ready(self, model: ModelDescription, read: OutlineRead, download: PendingDownload | None = None) -> None:
        self.state = RecipesReady(
            model, RecipeForecaster(model, read.outline, self._machine, self.context), read.notes, download
        )
        self._refresh_forecasts()
        if not read.outline.quantization:
            self.choose(FIRST_CHOICE, chosen=True)
        elif not model.is_runnable:
            self.choose(_FIRST_CHOICE_OF_UNRUNNABLE, chosen=True)
        # A quantized model that runs needs no copy with the same weights.

    def _refresh_forecasts(self) -> None:
        if isinstance(self.state, RecipesReady):
            forecaster = replace(self.state.forecaster, context=self.context)
            self.state = replace(self.state, forecaster=forecaster)
            self.cards = forecaster.cards(self.recipe_store.recipes)
            usable = {card.name for card in self.cards if not card.problem}
            self._chosen = {name: result for name, result in self._chosen.items() if name in usable}
            self.cards_changed.emit()
            self.plans_changed.emit()

    def _folder(self, model: ModelDescription) -> Path:
        return self._models / _owner(model)

    def _request(self, model: ModelDescription, plan: ConversionPlan) -> Convert:
        return Convert(
            id=new_id(),
            source="" if self.download else str(model.path),
            target=str(self._folder(model) / plan.name),
            model_id=f"{_owner(model)}/{plan.name}",
            recipe=plan.card.recipe,
            repository=model.source,
            commit=model.revision,
            remove_source=self.removes_source,
        )


def _owner(model: ModelDescription) -> str:
    return model.id.rpartition("/")[0] or OWNER
