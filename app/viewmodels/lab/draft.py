"""A draft study: candidates, selection, and why it cannot start."""

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


class StudyDraft(QObject):
    """The study that the set-up page edits.

    `pace` returns the speeds for a study, `names` the names in use, `user_recipes` the user's recipes, and `displaced`
    the models to unload before a model of the given bytes can be loaded.
    """

    changed = Signal()
    original_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(  # noqa: PLR0913 - the inputs of a forecast
        self,
        folders: Folders,
        library: ModelLibrary,
        questions: Questions,
        machine: Machine,
        *,
        pace: Callable[[Study], Speeds],
        names: Callable[[], Sequence[str]],
        user_recipes: Callable[[], Sequence[Recipe]] = tuple,
        displaced: Callable[[int], Sequence[ModelDescription]] = lambda _needed_bytes: (),
        text: CorpusCheck | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._library, self._questions, self._machine = folders, library, questions, machine
        self._pace, self._names, self._user_recipes, self._displaced = pace, names, user_recipes, displaced
        self.text = text or CorpusCheck(folders, self)
        """The text that all models read."""
        self.original: ModelDescription | None = None
        self.choices = StudyOptions()
        self.kin: list[RelatedModel] = []
        """Existing candidates, the most certain first."""
        self.cards: list[RecipeCard] = []
        """Recipes for new candidates."""
        self.trouble = ""
        self.is_reading = False
        self.name = ""
        self._forecaster: RecipeForecaster | None = None
        # Connected first, so that the text is up to date when other receivers show the draft.
        self.changed.connect(self._check_text)
        self.text.changed.connect(self.changed)

    def originals(self) -> list[ModelDescription]:
        """Return the possible originals, the most precise first."""
        models = (model for model in self._library.usable() if model.format == "safetensors")
        return sorted(models, key=lambda model: (-model.bits_per_weight, model.name.casefold()))

    def begin(self, model: ModelDescription | None = None) -> None:
        """Start a new draft with this original, or with the best one available."""
        self.original = None
        self.choices = StudyOptions()
        self.choose_original(model or best_original(self.originals()))

    def begin_like(self, study: Study) -> bool:
        """Start a draft from this study; report a problem and return False if its original is gone."""
        original = self._library.description(study.original.label)
        if original is None:
            self.problem.emit(
                "The original is missing",
                f"{study.original.label} is no longer on this Mac, so it can't be the original of a new study. Studies "
                "that have stored its predictions can still measure models.",
            )
            return False
        self.begin(original)
        candidates = frozenset(row.label for row in study.candidates)
        choices = options_of(study.plan)
        self.choices = replace(choices, candidates=choices.candidates | candidates)
        self.changed.emit()
        return True

    def choose_original(self, model: ModelDescription | None) -> None:
        """Set the original; its certain candidates are selected."""
        if model is None or model == self.original:
            self.changed.emit()
            return
        self.original, self.cards, self.trouble, self.is_reading = model, [], "", True
        self._forecaster = None
        self.name = self._unused_name(bare_name(model))
        self.kin = related_models(model, self._library.usable())
        sure = frozenset(kin.model.id for kin in self.kin if kin.is_sure)
        recipes = frozenset() if sure else frozenset(DEFAULT_RECIPES)
        self.choices = replace(self.choices, candidates=sure, recipes=recipes, stand_in=False)
        self.original_changed.emit()
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), str(model.path)), self._on_reply, latest_only=True)

    def refresh(self) -> None:
        """Update from the library and the user's recipes; new candidates are selected."""
        before = {kin.model.id for kin in self.kin}
        self.original = self._library.description(self.original.id) if self.original else None
        self.kin = related_models(self.original, self._library.usable()) if self.original else []
        new = frozenset(kin.model.id for kin in self.kin if kin.is_sure and kin.model.id not in before)
        self.choices = replace(self.choices, candidates=self.choices.candidates | new)
        self._make_cards()
        self.changed.emit()

    def choose(self, **changes: object) -> None:
        """Change fields of `StudyOptions`, by name."""
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]  # checked by the callers
        self.changed.emit()

    def tick(self, name: str, *, ticked: bool) -> None:
        """Select or deselect a candidate or a recipe."""
        field = "recipes" if any(card.name == name for card in self.cards) else "candidates"
        before: frozenset[str] = getattr(self.choices, field)
        self.choose(**{field: before | {name} if ticked else before - {name}})

    def rename(self, name: str) -> None:
        if name != self.name:
            self.name = name
            self.changed.emit()

    def has(self, name: str) -> bool:
        return name in self.choices.candidates or name in self.choices.recipes

    @property
    def plan(self) -> StudyPlan | None:
        """The plan of the draft; None without an original."""
        if self.original is None:
            return None
        choices = self.choices
        return StudyPlan(
            name=self.name.strip(),
            original=self.original.id,
            candidates=tuple(kin.model.id for kin in self.kin if kin.model.id in choices.candidates),
            recipes=tuple(card.name for card in self.cards if card.name in choices.recipes),
            corpus=choices.corpus,
            convention=choices.convention,
            limit_tokens=choices.limit_tokens,
            tail_mass=choices.tail_mass,
            stand_in=choices.stand_in,
            cache_bits=choices.cache_bits,
            speed=choices.speed_within(self.original.context_length),
            gates=choices.gates,
        )

    def study(self) -> Study | None:
        """Return the study of the plan; report a problem if the plan is invalid."""
        try:
            return self._study()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return None

    def forecast(self) -> StudyEstimate | None:
        """Return the forecast of the study; None without an original."""
        plan = self.plan
        try:
            study = self._study()
        except FacetError as error:
            return StudyEstimate(problem=error.message)
        if plan is None or study is None:
            return None
        estimator = StudyEstimator(study, self._described(study), self._machine, self.text.tokens)
        forecast = estimator.forecast(self._pace(study), self._folders.models)
        displaced = self._displaced(forecast.memory.estimate.total_bytes) if forecast.memory else ()
        return replace(forecast, problem=self._obstacle(plan) or forecast.problem, displaced=tuple(displaced))

    def close(self) -> None:
        """End the reading processes."""
        self._questions.close()
        self.text.close()

    def _study(self) -> Study | None:
        plan = self.plan
        return new_study(plan, find=self._find, recipe=self._recipe, models=self._folders.models) if plan else None

    def _described(self, study: Study) -> dict[str, ModelDescription]:
        """Return the descriptions of the study's models by label; those of future conversions are forecasts."""
        models = {model.id: model for row in study.rows if (model := self._library.description(row.label))}
        cards = {card.name: card.forecast for card in self.cards if card.forecast}
        for row in study.rows:
            if self.original and row.recipe and not row.is_made and (forecast := cards.get(row.recipe.name)):
                models[row.label] = forecast.conversion.describe(self.original)
        return models

    def _recipe(self, name: str) -> Recipe:
        """Return the recipe of a card, or else a built-in recipe, such as that of a stand-in."""
        return next((card.recipe for card in self.cards if card.name == name), None) or builtin.recipe(name)

    def _find(self, id: str) -> ModelDescription:
        if model := self._library.description(id):
            return model
        raise ModelNotFound(f"{id} is no longer in the library.")

    def _obstacle(self, plan: StudyPlan) -> str:
        """Return the reason why the study cannot start, apart from its requirements; "" if there is none."""
        if not plan.name:
            return "Give the study a name."
        if same_name(plan.name, self._names()):
            return f"A study named {plan.name} already exists. Choose another name."
        if self.is_reading and self.choices.recipes:
            return "Reading the model's layers…"
        if not plan.candidates and not plan.recipes:
            return "Select at least one model or recipe to compare with the original."
        if plan.corpus.path and not Path(plan.corpus.path).exists():
            return f"{Path(plan.corpus.path).name} no longer exists. Choose another file."
        return "Reading the text…" if self.text.is_reading else self.text.problem

    def _check_text(self) -> None:
        if self.original and (plan := self.plan):
            self.text.look(self.original.path, plan)

    def _on_reply(self, event: JobReply) -> None:
        self.is_reading = False
        if isinstance(event, RequestFailed):
            self.trouble = f"This model can't be converted: {event.message}"
        elif isinstance(event, OutlineRead) and self.original:
            self._forecaster = RecipeForecaster(self.original, event.outline, self._machine, 8192)
        self._make_cards()
        self.changed.emit()

    def _make_cards(self) -> None:
        self.cards = []
        if self._forecaster and self.original:
            recipes = recipes_for(self.original, self._user_recipes(), self._folders.models)
            self.cards = cards_to_make(recipes, self._forecaster, [kin.model for kin in self.kin])

    def _unused_name(self, name: str) -> str:
        used = self._names()
        numbered = (name, *(f"{name} {number}" for number in range(2, len(used) + 3)))
        return next(candidate for candidate in numbered if not same_name(candidate, used))
