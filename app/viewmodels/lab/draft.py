"""A study that is being put together: what can be held against what, what is ticked, and what stands against it."""

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
    """`pace` is asked for how fast this machine works on a study, `names` for those that are taken, `own` for a
    person's recipes, `displaced` for models that have to make room for one that needs so many bytes.
    """

    changed = Signal()
    original_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(  # noqa: PLR0913 - what a forecast needs
        self,
        folders: Folders,
        library: ModelLibrary,
        questions: Questions,
        machine: Machine,
        *,
        pace: Callable[[Study], Speeds],
        names: Callable[[], Sequence[str]],
        own: Callable[[], Sequence[Recipe]] = tuple,
        displaced: Callable[[int], Sequence[ModelDescription]] = lambda _needed_bytes: (),
        text: CorpusCheck | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._library, self._questions, self._machine = folders, library, questions, machine
        self._pace, self._names, self._own, self._displaced = pace, names, own, displaced
        self.text = text or CorpusCheck(folders, self)
        """What all read."""
        self.original: ModelDescription | None = None
        self.choices = StudyOptions()
        self.kin: list[RelatedModel] = []
        """What can be held against the original as it is, the surest first."""
        self.cards: list[RecipeCard] = []
        """By what else can be made first."""
        self.trouble = ""
        self.is_reading = False
        self.name = ""
        self._forecaster: RecipeForecaster | None = None
        # The first to hear of a change, so that whoever shows the draft finds what is to be said of the text.
        self.changed.connect(self._look_at_text)
        self.text.changed.connect(self.changed)

    def originals(self) -> list[ModelDescription]:
        """Return what can be held others against, the most exact first."""
        found = (model for model in self._library.usable() if model.format == "safetensors")
        return sorted(found, key=lambda model: (-model.bits_per_weight, model.name.casefold()))

    def begin(self, model: ModelDescription | None = None) -> None:
        """Begin a new draft about this model, or about the best there is."""
        self.original = None
        self.choices = StudyOptions()
        self.choose_original(model or best_original(self.originals()))

    def begin_like(self, study: Study) -> bool:
        """Begin with what this study has; return whether its original is still there, and tell if it is not."""
        original = self._library.description(study.original.label)
        if original is None:
            self.problem.emit(
                "The original is gone",
                f"{study.original.label} is not on this computer any more, so no study can be begun with it. In the "
                "studies that have its answers already, models can still be measured.",
            )
            return False
        self.begin(original)
        made = frozenset(row.label for row in study.candidates)
        chosen = options_of(study.plan)
        self.choices = replace(chosen, candidates=chosen.candidates | made)
        self.changed.emit()
        return True

    def choose_original(self, model: ModelDescription | None) -> None:
        """Hold others against this one."""
        if model is None or model == self.original:
            self.changed.emit()
            return
        self.original, self.cards, self.trouble, self.is_reading = model, [], "", True
        self._forecaster = None
        self.name = self._free(bare_name(model))
        self.kin = related_models(model, self._library.usable())
        sure = frozenset(kin.model.id for kin in self.kin if kin.is_sure)
        recipes = frozenset() if sure else frozenset(DEFAULT_RECIPES)
        self.choices = replace(self.choices, candidates=sure, recipes=recipes, stand_in=False)
        self.original_changed.emit()
        self.changed.emit()
        self._questions.ask(ReadOutline(new_id(), str(model.path)), self._take, latest_only=True)

    def refresh(self) -> None:
        """Follow the library and the person's own recipes; what has come, as from the Hub, is ticked."""
        known = {kin.model.id for kin in self.kin}
        self.original = self._library.description(self.original.id) if self.original else None
        self.kin = related_models(self.original, self._library.usable()) if self.original else []
        new = frozenset(kin.model.id for kin in self.kin if kin.is_sure and kin.model.id not in known)
        self.choices = replace(self.choices, candidates=self.choices.candidates | new)
        self._make_cards()
        self.changed.emit()

    def choose(self, **changes: object) -> None:
        """Change what is chosen: fields of `Choices` by name."""
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]  # checked where they come from
        self.changed.emit()

    def tick(self, name: str, *, ticked: bool) -> None:
        """Take a candidate or a recipe in, or out."""
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
        """The plan as it stands; None without an original."""
        if self.original is None:
            return None
        chosen = self.choices
        return StudyPlan(
            name=self.name.strip(),
            original=self.original.id,
            candidates=tuple(kin.model.id for kin in self.kin if kin.model.id in chosen.candidates),
            recipes=tuple(card.name for card in self.cards if card.name in chosen.recipes),
            corpus=chosen.corpus,
            convention=chosen.convention,
            limit_tokens=chosen.limit_tokens,
            tail_mass=chosen.tail_mass,
            stand_in=chosen.stand_in,
            cache_bits=chosen.cache_bits,
            speed=chosen.speed_within(self.original.context_length),
            gates=chosen.gates,
        )

    def study(self) -> Study | None:
        """Return the study of the plan; what is wrong with it is told as a problem."""
        try:
            return self._study()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return None

    def forecast(self) -> StudyEstimate | None:
        """Return what the study would take; None without an original."""
        plan = self.plan
        try:
            study = self._study()
        except FacetError as error:
            return StudyEstimate(problem=error.message)
        if plan is None or study is None:
            return None
        reckoning = StudyEstimator(study, self._described(study), self._machine, self.text.tokens)
        found = reckoning.forecast(self._pace(study), self._folders.models)
        displaced = self._displaced(found.memory.estimate.total_bytes) if found.memory else ()
        return replace(found, problem=self._obstacle(plan) or found.problem, displaced=tuple(displaced))

    def close(self) -> None:
        """End the processes that read."""
        self._questions.close()
        self.text.close()

    def _study(self) -> Study | None:
        plan = self.plan
        return new_study(plan, find=self._find, recipe=self._recipe, models=self._folders.models) if plan else None

    def _described(self, study: Study) -> dict[str, ModelDescription]:
        """Return what is known of the models of the study, by their labels; what is to be made, as it will be."""
        found = {model.id: model for row in study.rows if (model := self._library.description(row.label))}
        cards = {card.name: card.forecast for card in self.cards if card.forecast}
        for row in study.rows:
            if self.original and row.recipe and not row.is_made and (forecast := cards.get(row.recipe.name)):
                found[row.label] = forecast.conversion.describe(self.original)
        return found

    def _recipe(self, name: str) -> Recipe:
        """Return the recipe of a card, or else one that Facet brings along, as for what stands in for an original."""
        return next((card.recipe for card in self.cards if card.name == name), None) or builtin.recipe(name)

    def _find(self, id: str) -> ModelDescription:
        if model := self._library.description(id):
            return model
        raise ModelNotFound(f"There is no model called {id} any more.")

    def _obstacle(self, plan: StudyPlan) -> str:
        """Return why the study cannot be begun, whatever it would take."""
        if not plan.name:
            return "Give the study a name."
        if same_name(plan.name, self._names()):
            return f"There is a study called {plan.name} already. Choose another name."
        if self.is_reading and self.choices.recipes:
            return "Reading which matrices the model has…"
        if not plan.candidates and not plan.recipes:
            return "Tick at least one model or recipe to compare with the original."
        if plan.corpus.path and not Path(plan.corpus.path).exists():
            return f"{Path(plan.corpus.path).name} is not there any more. Choose another file."
        return "Reading the text…" if self.text.is_reading else self.text.problem

    def _look_at_text(self) -> None:
        if self.original and (plan := self.plan):
            self.text.look(self.original.path, plan)

    def _take(self, event: JobReply) -> None:
        self.is_reading = False
        if isinstance(event, RequestFailed):
            self.trouble = f"It cannot be converted: {event.message}"
        elif isinstance(event, OutlineRead) and self.original:
            self._forecaster = RecipeForecaster(self.original, event.outline, self._machine, 8192)
        self._make_cards()
        self.changed.emit()

    def _make_cards(self) -> None:
        self.cards = []
        if self._forecaster and self.original:
            recipes = recipes_for(self.original, self._own(), self._folders.models)
            self.cards = cards_to_make(recipes, self._forecaster, [kin.model for kin in self.kin])

    def _free(self, name: str) -> str:
        taken = self._names()
        numbered = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
        return next(one for one in numbered if not same_name(one, taken))
