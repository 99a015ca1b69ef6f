"""What a study is to find out: a value, readable and writable as JSON."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mlx_engine.errors import InvalidParameter
from mlx_engine.measure.convention import SMALL_TOKENS, Convention
from mlx_engine.measure.messages import TAIL_MASS, CorpusChoice
from mlx_engine.measure.speed_result import SpeedPlan
from mlx_engine.protocol import CacheBits

Aim = Literal["fastest", "smallest", "closest"]
_Positive = Annotated[float, Meta(gt=0)]


class Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a candidate must keep to; None is no limit. Of those that do, the one that is `prefer` wins."""

    max_mean_kl: _Positive | None = None
    """In nats."""
    min_top1_agreement: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_size_bytes: Annotated[int, Meta(gt=0)] | None = None
    """Of the folder."""
    max_memory_bytes: Annotated[int, Meta(gt=0)] | None = None
    """While its speed was measured, or else what it needs for a usual context."""
    prefer: Aim = "fastest"


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One original, and what is held against it: models that are there, and recipes of which they are made first."""

    name: str
    original: str
    """A model by name or id, or its folder."""
    candidates: tuple[str, ...] = ()
    """Likewise."""
    recipes: tuple[str, ...] = ()
    """Names of built-in recipes, or paths of files."""
    corpus: CorpusChoice = CorpusChoice()
    convention: Convention = Convention()
    limit_tokens: Annotated[int, Meta(ge=0)] = SMALL_TOKENS
    """Of the corpus; 0 is all of it."""
    tail_mass: Annotated[float, Meta(ge=0, lt=1)] = TAIL_MASS
    stand_in: bool = False
    """Whether a conversion to 8 bits answers in the place of an original too large for the machine; all divergences are
    lower bounds then."""
    cache_bits: tuple[CacheBits, ...] = (16,)
    speed: SpeedPlan | None = SpeedPlan()
    """None leaves speed out."""
    gates: Gates | None = None


def read_plan(path: Path) -> Plan:
    """Return the plan in the file `path`.

    Raises:
        InvalidParameter: it cannot be read, or is no plan; the sentence names the place.
    """
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise InvalidParameter(f"The plan {path} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter(f"{path.name} is no plan of a study: {error}.") from error
    if not plan.candidates and not plan.recipes:
        raise InvalidParameter(f'{path.name} names nothing to measure: give it "candidates", "recipes" or both.')
    return plan
