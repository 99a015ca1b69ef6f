"""A draft study: candidates, selection, and the problem that prevents its start."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.lab.corpus_check import CorpusCheck
from app.viewmodels.lab.estimate import StudyEstimate, StudyEstimator
from app.viewmodels.lab.options import StudyOptions, options_of
from app.viewmodels.lab.recipes import cards_to_make, recipes_for
from app.viewmodels.lab.related_models import RelatedModel, best_original, related_models
from app.viewmodels.lab.time_estimate import Speeds
from app.viewmodels.library.library import ModelLibrary
from app.viewmodels.quantize.conversion_plan import bare_name
from app.viewmodels.quantize.recipe_cards import RecipeCard, RecipeForecaster
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Study
from mlx_engine.measure.study.study_file import new_study, same_name
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import RequestFailed, new_id
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe import Recipe

DEFAULT_RECIPES = ("8bit", "balanced-4bit", "4bit")
_RECIPE_CONTEXT = 8192
"""Tokens of context for the memory on recipe cards."""


class StudyDraft(QObject):
    """`speeds` returns the speeds to estimate a study, `names` those of existing studies, `user_recipes` the user's
    recipes, and `models_to_unload` the loaded models that have to make room for a number of bytes.
    """

    changed = Signal()
    original_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(  # noqa: PLR0913 - dependencies of the estimate
        self,
        folders: Folders,
        library: ModelLibrary,
        questions: Questions,
        machine: Machine,
        *,
        speeds: Callable[[Study], Speeds],
        names: Callable[[], Sequence[str]],
        user_recipes: Callable[[], Sequence[Recipe]] = tuple,
        models_to_unload: Callable[[int], Sequence[ModelDescription]] = lambda _needed_bytes: (),
        corpus: CorpusCheck | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._library, self._questions, self._machine = folders, library, questions, machine
        self._speeds, self._names, self._user_recipes = speeds, names, user_recipes
        self._models_to_unload = models_to_unload
        self.corpus = corpus or CorpusCheck(folders, self)
        self.original: ModelDescription | None = None
        self.options = StudyOptions()
        self.related: list[RelatedModel] = []
        """Existing models to compare with the original, confirmed ones first."""
        self.recipe_cards: list[RecipeCard] = []
        """Recipes to convert the original with."""
        self.layers_problem = ""
        """The reason why the original cannot be converted, "" if it can."""
        self.is_reading = False
        """Whether the layers of the original are being read."""
        self.name = ""
        self._forecaster: RecipeForecaster | None = None
        # Connected first, so that the views find the state of the text after a change.
        self.changed.connect(self._check_corpus)
        self.corpus.changed.connect(self.changed)

    def originals(self) -> list[ModelDescription]:
        """Return the models that can be an original, most bits per weight first."""
        models = (model for model in self._library.usable() if model.format == "safetensors")
        return sorted(models, key=lambda model: (-model.bits_per_weight, model.name.casefold()))

    def start(self, model: ModelDescription | None = None) -> None:
        """Start a new draft with this original, or with the best one."""
        self.original = None
        self.options = StudyOptions()
        self.set_original(model or best_original(self.originals()))

    def start_from(self, study: Study) -> bool:
        """Start a draft like `study`; report a problem and return False if its original was deleted."""
        original = self._library.description(study.original.label)
        if original is None:
            self.problem.emit(
                "The original was deleted",
                f"{study.original.label} is no longer on this Mac, so it can't be the original of a new study. Studies "
                "with its stored predictions can still measure models.",
            )
            return False
        self.start(original)
        conversions = frozenset(row.label for row in study.candidates)
        options = options_of(study.plan)
        self.options = replace(options, candidates=options.candidates | conversions)
        self.changed.emit()
        return True

    def set_original(self, model: ModelDescription | None) -> None:
        """Set the original, and select conversions or recipes to compare with it."""
        if model is None or model == self.original:
            self.changed.emit()
            return
        self.original, self.recipe_cards, self.layers_problem, self.is_reading = model, [], "", True
        self._forecaster = None
        self.name = self._unused_name(bare_name(model))
        self.related = related_models(model, self._library.usable())
        confirmed = frozenset(entry.model.id for entry in self.related if entry.is_confirmed)
        recipes = frozenset() if confirmed else frozenset(DEFAULT_RECIPES)
        self.options = replace(self.options, candidates=confirmed, recipes=recipes, stand_in=False)
        self.original_changed.emit()
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), str(model.path)), self._on_outline, latest_only=True)

    def refresh(self) -> None:
        """Update models and recipes, and select new confirmed conversions, such as downloads."""
        earlier = {entry.model.id for entry in self.related}
        self.original = self._library.description(self.original.id) if self.original else None
        self.related = related_models(self.original, self._library.usable()) if self.original else []
        new = frozenset(
            entry.model.id for entry in self.related if entry.is_confirmed and entry.model.id not in earlier
        )
        self.options = replace(self.options, candidates=self.options.candidates | new)
        self._update_cards()
        self.changed.emit()

    def set_options(self, **changes: object) -> None:
        """Change fields of `StudyOptions` by name."""
        self.options = replace(self.options, **changes)  # type: ignore[arg-type]  # checked by the callers
        self.changed.emit()

    def select(self, name: str, *, selected: bool) -> None:
        """Select or deselect a candidate or a recipe."""
        field = "recipes" if any(card.name == name for card in self.recipe_cards) else "candidates"
        names: frozenset[str] = getattr(self.options, field)
        self.set_options(**{field: names | {name} if selected else names - {name}})

    def rename(self, name: str) -> None:
        if name != self.name:
            self.name = name
            self.changed.emit()

    def is_selected(self, name: str) -> bool:
        return name in self.options.candidates or name in self.options.recipes

    @property
    def plan(self) -> StudyPlan | None:
        """The current plan, None without an original."""
        if self.original is None:
            return None
        options = self.options
        return StudyPlan(
            name=self.name.strip(),
            original=self.original.id,
            candidates=tuple(entry.model.id for entry in self.related if entry.model.id in options.candidates),
            recipes=tuple(card.name for card in self.recipe_cards if card.name in options.recipes),
            corpus=options.corpus,
            convention=options.convention,
            limit_tokens=options.limit_tokens,
            tail_mass=options.tail_mass,
            stand_in=options.stand_in,
            cache_bits=options.cache_bits,
            speed=options.speed_within(self.original.context_length),
            gates=options.gates,
        )

    def study(self) -> Study | None:
        """Return the study of the plan; report a problem and return None if it is invalid."""
        try:
            return self._study()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return None

    def estimate(self) -> StudyEstimate | None:
        """Return the estimate for the study, None without an original."""
        plan = self.plan
        try:
            study = self._study()
        except FacetError as error:
            return StudyEstimate(problem=error.message)
        if plan is None or study is None:
            return None
        estimator = StudyEstimator(study, self._descriptions(study), self._machine, self.corpus.tokens)
        estimate = estimator.estimate(self._speeds(study), self._folders.models)
        unload = self._models_to_unload(estimate.memory.estimate.total_bytes) if estimate.memory else ()
        return replace(estimate, problem=self._problem(plan) or estimate.problem, models_to_unload=tuple(unload))

    def close(self) -> None:
        """End the processes that read models and texts."""
        self._questions.close()
        self.corpus.close()

    def _study(self) -> Study | None:
        plan = self.plan
        return new_study(plan, find=self._find, recipe=self._recipe, models=self._folders.models) if plan else None

    def _descriptions(self, study: Study) -> dict[str, ModelDescription]:
        """Return the models of the study by label; those to convert as forecast."""
        models = {model.id: model for row in study.rows if (model := self._library.description(row.label))}
        forecasts = {card.name: card.forecast for card in self.recipe_cards if card.forecast}
        for row in study.rows:
            if self.original and row.recipe and not row.exists and (forecast := forecasts.get(row.recipe.name)):
                models[row.label] = forecast.conversion.describe(self.original)
        return models

    def _recipe(self, name: str) -> Recipe:
        """Return the recipe of a card, or else a built-in one, as for a stand-in."""
        return next((card.recipe for card in self.recipe_cards if card.name == name), None) or builtin.recipe(name)

    def _find(self, id: str) -> ModelDescription:
        if model := self._library.description(id):
            return model
        raise ModelNotFound(f"{id} is no longer in the library.")

    def _problem(self, plan: StudyPlan) -> str:
        """Return the reason why the study cannot start yet, "" if there is none."""
        if not plan.name:
            return "Enter a name for the study."
        if same_name(plan.name, self._names()):
            return f"A study named {plan.name} already exists. Choose another name."
        if self.is_reading and self.options.recipes:
            return "Reading the model's layers…"
        if not plan.candidates and not plan.recipes:
            return "Select at least one model or recipe to compare with the original."
        if plan.corpus.path and not Path(plan.corpus.path).exists():
            return f"{Path(plan.corpus.path).name} was deleted or moved. Choose another file."
        return "Reading the text…" if self.corpus.is_reading else self.corpus.problem

    def _check_corpus(self) -> None:
        if self.original and (plan := self.plan):
            self.corpus.check(self.original.path, plan)

    def _on_outline(self, event: JobReply) -> None:
        self.is_reading = False
        if isinstance(event, RequestFailed):
            self.layers_problem = f"This model can't be converted: {event.message}"
        elif isinstance(event, OutlineRead) and self.original:
            self._forecaster = RecipeForecaster(self.original, event.outline, self._machine, _RECIPE_CONTEXT)
        self._update_cards()
        self.changed.emit()

    def _update_cards(self) -> None:
        self.recipe_cards = []
        if self._forecaster and self.original:
            recipes = recipes_for(self.original, self._user_recipes(), self._folders.models)
            self.recipe_cards = cards_to_make(recipes, self._forecaster, [entry.model for entry in self.related])

    def _unused_name(self, name: str) -> str:
        used_names = self._names()
        numbered = (name, *(f"{name} {number}" for number in range(2, len(used_names) + 3)))
        return next(candidate for candidate in numbered if not same_name(candidate, used_names))
