"""What a study is to find out: a value, readable and writable as JSON. What is wrong with a file is said in a sentence
that names the place.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from mlx_engine.errors import FacetError, InvalidPlan
from mlx_engine.json_fields import place_and_problem
from mlx_engine.measure.results.convention import SMALL_TOKENS, Convention
from mlx_engine.measure.results.messages import TAIL_MASS, CorpusSource, RecordReference
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.protocol import CacheBits

Aim = Literal["fastest", "smallest", "closest"]
_Positive = Annotated[float, Meta(gt=0)]
_Bytes = Annotated[int, Meta(gt=0, le=2**60)]
_limit_bytes = 2**20
_legal = {
    "prefer": ", ".join(get_args(Aim)),
    "cache_bits": "16, 8, 4",
    "scored": "second half, all",
}
"""What may stand there, by the name of the field."""


class Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a candidate must keep to; None is no limit. Of those that do, the one that is `prefer` wins."""

    max_mean_kl: _Positive | None = None
    """In nats."""
    max_p99_kl: _Positive | None = None
    """Likewise, of the worst hundredth of all positions."""
    max_perplexity_ratio: _Positive | None = None
    """Its perplexity, divided by the original's: 1.02 is two hundredths more."""
    min_top1_agreement: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_size_bytes: _Bytes | None = None
    """Of the folder."""
    max_memory_bytes: _Bytes | None = None
    """While its speed was measured."""
    min_decode_tokens_per_s: _Positive | None = None
    """At the least depth of the plan."""
    min_prefill_tokens_per_s: _Positive | None = None
    """For the prompt of the plan closest to the usual length."""
    prefer: Aim = "fastest"
    """The fastest is the one that writes the most tokens per second."""


class StudyPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One original, and what is held against it: models that are there, and recipes of which they are made first."""

    name: str
    original: str
    """A model by name or id, or its folder."""
    candidates: tuple[str, ...] = ()
    """Likewise."""
    recipes: tuple[str, ...] = ()
    """Names of built-in recipes, or paths of files."""
    corpus: CorpusSource = CorpusSource()
    convention: Convention = Convention()
    limit_tokens: Annotated[int, Meta(ge=0, le=2**60)] = SMALL_TOKENS
    """Of the corpus; 0 is all of it."""
    tail_mass: Annotated[float, Meta(ge=0, lt=1)] = TAIL_MASS
    stand_in: bool = False
    """Whether a conversion to 8 bits answers in the place of an original too large for the machine; all divergences are
    lower bounds then."""
    cache_bits: tuple[CacheBits, ...] = (16,)
    speed: SpeedPlan | None = SpeedPlan()
    """None leaves speed out."""
    gates: Gates | None = None

    def reference_request(self, id: str, model: str = "") -> RecordReference:
        """Return the request to the model called `id`, at the path `model`, to answer what is measured on."""
        return RecordReference(
            id=id,
            model=model,
            corpus=self.corpus,
            convention=self.convention,
            limit_tokens=self.limit_tokens,
            tail_mass=self.tail_mass,
        )


def read_plan(path: Path) -> StudyPlan:
    """Return the plan in the file `path`.

    Raises:
        InvalidPlan: it cannot be read, or is no plan; the sentence names the place.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_limit_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidPlan(f"The plan {path} cannot be read: {reason}.") from error
    plan = _decoded(text, path.name)
    if problem := _problem(plan):
        raise InvalidPlan(f"{path.name}: {problem}")
    return _beside(plan, path.absolute().parent)


def _decoded(text: bytes, file_name: str) -> StudyPlan:
    if len(text) > _limit_bytes:
        raise InvalidPlan(f"{file_name} is no plan of a study: it is far too long.")
    try:
        return msgspec.json.decode(text, type=StudyPlan)
    except msgspec.ValidationError as error:
        place, problem = place_and_problem(error)
        hint = _legal.get(place.rpartition(".")[2].partition("[")[0]) if "field" not in problem else None
        raise InvalidPlan(
            f"{file_name} is no plan of a study{f', at {place}' if place else ''}: {problem}."
            f"{f' Possible: {hint}.' if hint else ''}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPlan(f"{file_name} is no plan of a study: it is no JSON ({error}).") from error
    except FacetError as error:
        raise InvalidPlan(f"{file_name}: {error.message}") from error


def _problem(plan: StudyPlan) -> str:
    """Return what cannot be about a plan although each of its fields can; "" if nothing."""
    if not plan.name.strip():
        return 'the "name" is empty. It is what `facet lab show` calls the study.'
    if not plan.original.strip():
        return 'the "original" is empty. It is a model by name or id, or a folder.'
    if not plan.candidates and not plan.recipes:
        return 'it names nothing to measure. Give it "candidates", "recipes" or both.'
    if not plan.cache_bits:
        return '"cache_bits" is empty. Usually it is [16].'
    for fields, gate in _of_speed(plan.gates) if plan.gates else ():
        if plan.speed is None or not any(getattr(plan.speed, field) for field in fields):
            return (
                f'"gates" ask for {gate}, but "speed" leaves that out. Measure it ({fields[0]}), or change the gates.'
            )
    return ""


def _of_speed(gates: Gates) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give the fields of a speed plan of which the gates need one, and what for."""
    if gates.prefer == "fastest":
        yield ("depths",), 'the fastest ("prefer")'
    if gates.min_decode_tokens_per_s is not None:
        yield ("depths",), '"min_decode_tokens_per_s"'
    if gates.min_prefill_tokens_per_s is not None:
        yield ("prompts",), '"min_prefill_tokens_per_s"'
    if gates.max_memory_bytes is not None:
        yield ("prompts", "depths"), '"max_memory_bytes"'


def _beside(plan: StudyPlan, folder: Path) -> StudyPlan:
    """Return the plan with whole paths: files, and models that begin with a dot, lie beside the plan or below it."""

    def file(name: str) -> str:
        return str(folder / os.path.expanduser(name))  # noqa: PTH111 - Path raises where there is no such person

    def model(name: str) -> str:
        return file(name) if name.startswith(("./", "../", "~")) else name

    path = plan.corpus.path
    return msgspec.structs.replace(
        plan,
        original=model(plan.original),
        candidates=tuple(map(model, plan.candidates)),
        recipes=tuple(file(name) if name.endswith(".json") else name for name in plan.recipes),
        corpus=msgspec.structs.replace(plan.corpus, path=file(path)) if path else plan.corpus,
    )
