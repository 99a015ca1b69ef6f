"""What a person chooses for a study besides its original."""

from dataclasses import dataclass, field

import msgspec

from mlx_engine.measure.results.convention import SMALL_TOKENS, Convention
from mlx_engine.measure.results.messages import TAIL_MASS, CorpusSource
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.protocol import CacheBits


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """Candidates are ids, recipes names. A corpus file is a path, a data set the name of one on the Hub; without either
    it is Facet's own texts, of which `few_tokens` are read unless it `is_whole`. With a `stand_in` a conversion to 8
    bits answers in the place of an original that is too large. The last ones come with a plan.
    """

    candidates: frozenset[str] = frozenset()
    recipes: frozenset[str] = frozenset()
    corpus_file: str = ""
    dataset: str = ""
    is_private: bool = False
    """Whether the file is a copy of past chats, or private otherwise."""
    kinds: frozenset[str] = frozenset()
    is_whole: bool = False
    cache_bits: tuple[CacheBits, ...] = (16,)
    has_speed: bool = True
    gates: Gates | None = None
    stand_in: bool = False
    few_tokens: int = SMALL_TOKENS
    convention: Convention = field(default_factory=Convention)
    tail_mass: float = TAIL_MASS
    speed: SpeedPlan = field(default_factory=SpeedPlan)

    @property
    def corpus(self) -> CorpusSource:
        is_own = not self.corpus_file and not self.dataset
        kinds = tuple(sorted(self.kinds)) if is_own else ()
        return CorpusSource(path=self.corpus_file, dataset=self.dataset, kinds=kinds, private=self.is_private)

    @property
    def limit_tokens(self) -> int:
        return 0 if self.is_whole else self.few_tokens

    def speed_within(self, context_length: int) -> SpeedPlan | None:
        """Return what to measure of speed: nothing that is longer than the context; 0 is an unknown one."""
        if not self.has_speed:
            return None
        longest, wanted = (context_length or 2**20) - self.speed.decode_tokens, self.speed
        prompts = tuple(tokens for tokens in wanted.prompts if tokens <= longest)
        depths = tuple(tokens for tokens in wanted.depths if tokens <= longest)
        return msgspec.structs.replace(wanted, prompts=prompts or (128,), depths=depths)


def options_of(plan: StudyPlan) -> StudyOptions:
    """Return what was chosen for a study that is there already."""
    return StudyOptions(
        candidates=frozenset(plan.candidates),
        recipes=frozenset(plan.recipes),
        corpus_file=plan.corpus.path,
        dataset=plan.corpus.dataset,
        is_private=plan.corpus.private,
        kinds=frozenset(plan.corpus.kinds),
        is_whole=plan.limit_tokens == 0,
        cache_bits=plan.cache_bits,
        has_speed=plan.speed is not None,
        gates=plan.gates,
        stand_in=plan.stand_in,
        few_tokens=plan.limit_tokens or SMALL_TOKENS,
        convention=plan.convention,
        tail_mass=plan.tail_mass,
        speed=plan.speed or SpeedPlan(),
    )
