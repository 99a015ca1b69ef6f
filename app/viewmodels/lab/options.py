"""The options of a draft study, besides its original."""

from dataclasses import dataclass, field

import msgspec

from mlx_engine.measure.results.convention import SMALL_TOKENS, Convention
from mlx_engine.measure.results.messages import TAIL_MASS, CorpusSource
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.protocol import CacheBits

_MAX_CONTEXT = 2**20
_SHORTEST_PROMPT = 128


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """The selection of models, recipes and text. The page cannot change the options from `small_tokens` on.

    Without a file or a data set, the text is Facet's built-in corpus or the selected kinds of it.
    """

    candidates: frozenset[str] = frozenset()
    """Ids of models."""
    recipes: frozenset[str] = frozenset()
    """Names."""
    corpus_file: str = ""
    """A path."""
    dataset: str = ""
    """The name of a data set on the Hub."""
    is_private: bool = False
    """Whether the file is private, such as a copy of past chats."""
    kinds: frozenset[str] = frozenset()
    uses_all_tokens: bool = False
    cache_bits: tuple[CacheBits, ...] = (16,)
    measures_speed: bool = True
    gates: Gates | None = None
    stand_in: bool = False
    """Whether an 8-bit conversion replaces an original that is too large."""
    small_tokens: int = SMALL_TOKENS
    """The limit unless `uses_all_tokens`."""
    convention: Convention = field(default_factory=Convention)
    tail_mass: float = TAIL_MASS
    speed: SpeedPlan = field(default_factory=SpeedPlan)

    @property
    def corpus(self) -> CorpusSource:
        is_builtin = not self.corpus_file and not self.dataset
        kinds = tuple(sorted(self.kinds)) if is_builtin else ()
        return CorpusSource(path=self.corpus_file, dataset=self.dataset, kinds=kinds, private=self.is_private)

    @property
    def limit_tokens(self) -> int:
        return 0 if self.uses_all_tokens else self.small_tokens

    def speed_within(self, context_length: int) -> SpeedPlan | None:
        """Return the speed plan without lengths that exceed the context; a length of 0 is unknown."""
        if not self.measures_speed:
            return None
        longest, plan = (context_length or _MAX_CONTEXT) - self.speed.decode_tokens, self.speed
        prompts = tuple(tokens for tokens in plan.prompts if tokens <= longest)
        depths = tuple(tokens for tokens in plan.depths if tokens <= longest)
        return msgspec.structs.replace(plan, prompts=prompts or (_SHORTEST_PROMPT,), depths=depths)


def options_of(plan: StudyPlan) -> StudyOptions:
    """Return the options of an existing plan."""
    return StudyOptions(
        candidates=frozenset(plan.candidates),
        recipes=frozenset(plan.recipes),
        corpus_file=plan.corpus.path,
        dataset=plan.corpus.dataset,
        is_private=plan.corpus.private,
        kinds=frozenset(plan.corpus.kinds),
        uses_all_tokens=plan.limit_tokens == 0,
        cache_bits=plan.cache_bits,
        measures_speed=plan.speed is not None,
        gates=plan.gates,
        stand_in=plan.stand_in,
        small_tokens=plan.limit_tokens or SMALL_TOKENS,
        convention=plan.convention,
        tail_mass=plan.tail_mass,
        speed=plan.speed or SpeedPlan(),
    )
