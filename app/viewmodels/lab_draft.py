"""A study that is being put together: what is ticked, what that will take, and what stands against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from app.viewmodels.lab_kin import is_kin, likeliest
from app.viewmodels.lab_made import Made
from app.viewmodels.lab_pace import Pace, corpus_tokens, duration_in_words, study_seconds
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.outline_reader import OutlineReader
from app.viewmodels.quantize import bare_name
from app.viewmodels.recipe_cards import RecipeCard, Reckoner
from app.viewmodels.recipe_words import suffix
from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.job_protocol import JobFailed
from mlx_engine.measure.convention import SMALL_TOKENS
from mlx_engine.measure.messages import CorpusChoice
from mlx_engine.measure.plan import Gates, Plan
from mlx_engine.measure.speed_result import SpeedPlan
from mlx_engine.measure.study import Study
from mlx_engine.measure.study_file import begin, conversion_label, same_name
from mlx_engine.models.description import ModelDescription
from mlx_engine.models.machine import Machine
from mlx_engine.models.memory import Fit, fit, runtime_on
from mlx_engine.protocol import CacheBits
from mlx_engine.quantize import builtin, preflight
from mlx_engine.quantize.messages import OutlineRead
from mlx_engine.quantize.recipe import Recipe

USUAL_RECIPES = ("affine-8-g64", "balanced-4", "affine-4-g64")
_ANSWER_BYTES = 2
"""Of one token at one scored position, where all tokens are kept; those that are unlikely are not."""
_USUAL_VOCABULARY = 150_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the study takes; `how` says how the time is reckoned, `problem` why it cannot be begun."""

    time: str
    how: str
    memory: Fit
    disk_bytes: int
    steps: str
    problem: str = ""
    stand_in: ModelDescription | None = None
    """What others could be held against where the original does not fit."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All that a person chooses besides the original. A corpus file is a path, "" is Facet's own texts."""

    candidates: frozenset[str] = frozenset()
    recipes: frozenset[str] = frozenset()
    corpus_file: str = ""
    kinds: frozenset[str] = frozenset()
    is_whole: bool = False
    cache_bits: tuple[CacheBits, ...] = (16,)
    has_speed: bool = True
    gates: Gates | None = None


class LabDraft(QObject):
    """`pace` is asked for how fast this machine is, `names` for those that are taken, `own` for a person's recipes."""

    changed = Signal()
    original_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(  # noqa: PLR0913 - what a forecast needs
        self,
        folders: Folders,
        library: ModelLibrary,
        reader: OutlineReader,
        machine: Machine,
        *,
        pace: Callable[[], Pace],
        names: Callable[[], Sequence[str]],
        own: Callable[[], Sequence[Recipe]] = tuple,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._library, self._reader, self._machine = folders, library, reader, machine
        self._pace, self._names, self._own = pace, names, own
        self.original: ModelDescription | None = None
        self.choices = Choices()
        self.cards: list[RecipeCard] = []
        self.trouble = ""
        self.is_reading = False
        self.name = ""

    def originals(self) -> list[ModelDescription]:
        """Return what can be held others against, the most exact first."""
        found = (model for model in self._library.usable() if model.format == "safetensors")
        return sorted(found, key=lambda model: (-model.bits_per_weight, model.name.casefold()))

    def candidates(self) -> list[ModelDescription]:
        """Return other conversions of the same network, the largest first."""
        if self.original is None:
            return []
        found = [model for model in self._library.usable() if is_kin(model, self.original)]
        return sorted(found, key=lambda model: -model.size_bytes)

    def begin(self, model: ModelDescription | None = None, plan: Plan | None = None) -> None:
        """Begin a new draft about this model, or about the best there is; with a plan, with what it has."""
        originals = self.originals()
        wanted = next((one for one in originals if plan and one.id == plan.original), None) or model
        self.original = None
        self.choices = Choices()
        self.choose_original(wanted or likeliest(originals))
        if plan:
            made = {conversion_label(plan.original, recipe) for recipe in plan.recipes}
            self.choices = _choices_of(plan)
            self.choices = replace(self.choices, candidates=self.choices.candidates | made)
            self.changed.emit()

    def choose_original(self, model: ModelDescription | None) -> None:
        """Hold others against this one."""
        if model is None or model == self.original:
            self.changed.emit()
            return
        self.original, self.cards, self.trouble, self.is_reading = model, [], "", True
        self.name = self._free(bare_name(model))
        kin = frozenset(one.id for one in self.candidates())
        recipes = frozenset() if kin else frozenset(USUAL_RECIPES)
        self.choices = replace(self.choices, candidates=kin, recipes=recipes)
        self.original_changed.emit()
        self.changed.emit()
        self._reader.read(model.path, self._take)

    def refresh(self) -> None:
        """Follow the library."""
        if self.original and self._library.description(self.original.id) is None:
            self.original = None
        self.cards = self._to_make(self.cards)
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
    def plan(self) -> Plan | None:
        """The plan as it stands; None without an original."""
        if self.original is None:
            return None
        chosen = self.choices
        known = [model.id for model in self.candidates()]
        return Plan(
            name=self.name.strip(),
            original=self.original.id,
            candidates=tuple(one for one in known if one in chosen.candidates),
            recipes=tuple(card.name for card in self.cards if card.name in chosen.recipes and not card.problem),
            corpus=CorpusChoice(path=chosen.corpus_file, kinds=tuple(sorted(chosen.kinds))),
            limit_tokens=0 if chosen.is_whole else SMALL_TOKENS,
            cache_bits=chosen.cache_bits,
            speed=self._speed(),
            gates=chosen.gates,
        )

    def study(self) -> Study | None:
        """Return the study of the plan; what is wrong with it is told as a problem."""
        try:
            return self._study()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return None

    def forecast(self) -> Forecast | None:
        """Return what the study would take; None as long as nothing can be said."""
        plan = self.plan
        if plan is None or self.original is None:
            return None
        memory = self._memory(plan)
        try:
            study = self._study()
        except FacetError as error:
            return Forecast("", "", memory, 0, "", error.message)
        if study is None:
            return None
        pace = self._pace()
        disk_bytes = self._disk_bytes(study)
        return Forecast(
            time=duration_in_words(study_seconds(study, pace)),
            how=f"{corpus_tokens(plan):,} tokens for each model, reckoned from {pace.source}.",
            memory=memory,
            disk_bytes=disk_bytes,
            steps=_count(study),
            problem=self._problem(plan, disk_bytes),
            stand_in=self._stand_in() if memory.verdict == "too large" else None,
        )

    def close(self) -> None:
        """End the process that reads."""
        self._reader.close()

    def _study(self) -> Study | None:
        plan = self.plan
        return begin(plan, find=self._find, recipe=self._recipe, models=self._folders.models) if plan else None

    def _recipe(self, name: str) -> Recipe:
        own = {recipe.name: recipe for recipe in self._own_recipes()}
        return own[name] if name in own else builtin.recipe(name)

    def _own_recipes(self) -> list[Recipe]:
        """Return the person's own, by names that a folder can have; what would be called like a usual one is not."""
        named = (msgspec.structs.replace(recipe, name=suffix(recipe)) for recipe in self._own())
        usual = {recipe.name for recipe in builtin.RECIPES}
        return list({recipe.name: recipe for recipe in named if recipe.name not in usual}.values())

    def _find(self, id: str) -> ModelDescription:
        if model := self._library.description(id):
            return model
        raise ModelNotFound(f"There is no model called {id} any more.")

    def _speed(self) -> SpeedPlan | None:
        """Leave out what is longer than the context that the original has."""
        if not self.choices.has_speed or self.original is None:
            return None
        longest = self.original.context_length or 2**20
        usual = SpeedPlan()
        prompts = tuple(tokens for tokens in usual.prompts if tokens + usual.decode_tokens <= longest)
        depths = tuple(tokens for tokens in usual.depths if tokens + usual.decode_tokens <= longest)
        return SpeedPlan(prompts=prompts or (128,), depths=depths)

    def _memory(self, plan: Plan) -> Fit:
        """Reckon the largest model of the study with the longest text that it has to read."""
        speed = plan.speed
        longest = max(*speed.prompts, *speed.depths) + speed.decode_tokens if speed else plan.convention.chunk_tokens
        models = filter(None, map(self._library.description, (plan.original, *plan.candidates)))
        return max((self._fit(model, longest) for model in models), key=lambda found: found.estimate.total_bytes)

    def _stand_in(self) -> ModelDescription | None:
        """Return the most exact conversion that fits this machine; what is held against it loses more than it shows."""
        fits = (model for model in self.candidates() if self._fit(model, 512).verdict != "too large")
        return max(fits, key=lambda model: model.bits_per_weight, default=None)

    def _fit(self, model: ModelDescription, tokens: int) -> Fit:
        return fit(model, self._machine, context=tokens, runtime=runtime_on(self._machine, model))

    def _problem(self, plan: Plan, disk_bytes: int) -> str:
        if not plan.name:
            return "Give the study a name."
        if same_name(plan.name, self._names()):
            return f"There is a study called {plan.name} already. Choose another name."
        if not plan.candidates and not plan.recipes:
            return "Tick at least one model or recipe to hold against the original."
        if plan.corpus.path and not Path(plan.corpus.path).is_file():
            return f"{Path(plan.corpus.path).name} is not there any more. Choose another file."
        return preflight.disk_problem(self._folders.models, disk_bytes) if disk_bytes else ""

    def _disk_bytes(self, study: Study) -> int:
        """Reckon what recipes make, and at most what the answers take that are kept."""
        sizes = {card.name: card.figures.forecast.size_bytes for card in self.cards if card.figures}
        made = sum(sizes.get(row.recipe.name, 0) for row in study.candidates if row.recipe and not row.is_made)
        convention = study.plan.convention
        positions = corpus_tokens(study.plan) * convention.scored_per_chunk // convention.chunk_tokens
        vocabulary = self.original.shape.vocabulary if self.original else 0
        return made + _ANSWER_BYTES * positions * (vocabulary or _USUAL_VOCABULARY)

    def _take(self, event: OutlineRead | JobFailed) -> None:
        self.is_reading = False
        if isinstance(event, JobFailed):
            self.trouble = f"It cannot be converted: {event.message}"
        elif self.original:
            reckoner = Reckoner(self.original, event.outline, self._machine, 8192)
            self.cards = self._to_make(reckoner.cards(self._own_recipes()))
        self.changed.emit()

    def _to_make(self, cards: Sequence[RecipeCard]) -> list[RecipeCard]:
        """Return the cards that can be used, without those whose model is there: that one is among the candidates."""
        if self.original is None:
            return []
        made, kin = Made(self.original), self.candidates()
        return [card for card in cards if card.figures and not made.has(card.recipe, kin)]

    def _free(self, name: str) -> str:
        taken = self._names()
        numbered = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
        return next(one for one in numbered if not same_name(one, taken))


def _choices_of(plan: Plan) -> Choices:
    return Choices(
        candidates=frozenset(plan.candidates),
        recipes=frozenset(plan.recipes),
        corpus_file=plan.corpus.path,
        kinds=frozenset(plan.corpus.kinds),
        is_whole=plan.limit_tokens == 0,
        cache_bits=plan.cache_bits,
        has_speed=plan.speed is not None,
        gates=plan.gates,
    )


def _count(study: Study) -> str:
    made = sum(row.recipe is not None and not row.is_made for row in study.candidates)
    models = len(study.rows)
    return f"{models} models, {made} of them to be made first" if made else f"{models} models"
