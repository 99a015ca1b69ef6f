"""The plan of a study, read from and written to JSON. Errors in a file are reported with their position."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from mlx_engine.errors import FacetError, InvalidPlan
from mlx_engine.json_fields import path_and_problem
from mlx_engine.measure.results.convention import SMALL_TOKENS, Convention
from mlx_engine.measure.results.messages import TAIL_MASS, CorpusSource, RecordReference
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.protocol import CacheBits

Aim = Literal["fastest", "smallest", "closest"]
_Positive = Annotated[float, Meta(gt=0)]
_Bytes = Annotated[int, Meta(gt=0, le=2**60)]
_MAX_BYTES = 2**20
_VALID_VALUES = {
    "prefer": ", ".join(get_args(Aim)),
    "cache_bits": "16, 8, 4",
    "scored": "second half, all",
}
"""Valid values by the name of the field."""


class Gates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits for a candidate; None means no limit. `prefer` selects the best of the candidates within them."""

    max_mean_kl: _Positive | None = None
    """In nats."""
    max_p99_kl: _Positive | None = None
    """99th percentile over positions, in nats."""
    max_perplexity_ratio: _Positive | None = None
    """Perplexity divided by that of the original: 1.02 allows an increase by 2%."""
    min_top1_agreement: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_size_bytes: _Bytes | None = None
    """Size of the folder."""
    max_memory_bytes: _Bytes | None = None
    """Peak memory during the speed measurement."""
    min_decode_tokens_per_s: _Positive | None = None
    """At the least depth of the plan."""
    min_prefill_tokens_per_s: _Positive | None = None
    """For the prompt of the plan closest to the usual length."""
    prefer: Aim = "fastest"
    """The fastest candidate has the highest decode speed."""


class StudyPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One original and the candidates to compare with it: existing models, and recipes to convert it with."""

    name: str
    original: str
    """The name, id or folder of a model."""
    candidates: tuple[str, ...] = ()
    """Names, ids or folders of models."""
    recipes: tuple[str, ...] = ()
    """Names of built-in recipes, or paths of files."""
    corpus: CorpusSource = CorpusSource()
    convention: Convention = Convention()
    limit_tokens: Annotated[int, Meta(ge=0, le=2**60)] = SMALL_TOKENS
    """Maximum number of tokens of the corpus; 0 means no limit."""
    tail_mass: Annotated[float, Meta(ge=0, lt=1)] = TAIL_MASS
    stand_in: bool = False
    """Whether an 8-bit conversion replaces an original that is too large for this Mac. All divergences are then lower
    bounds."""
    cache_bits: tuple[CacheBits, ...] = (16,)
    speed: SpeedPlan | None = SpeedPlan()
    """None means that speed is not measured."""
    gates: Gates | None = None

    def reference_request(self, id: str, model: str = "") -> RecordReference:
        """Return the request to store the predictions of the model `id` at the path `model`."""
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
        InvalidPlan: it cannot be read, or is not a valid plan; the message has the position of the error.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidPlan(f"Couldn't read the plan {path}: {reason}.") from error
    plan = _decoded(text, path.name)
    if problem := _problem(plan):
        raise InvalidPlan(f"{path.name}: {problem}")
    return _with_absolute_paths(plan, path.absolute().parent)


def _decoded(text: bytes, file_name: str) -> StudyPlan:
    if len(text) > _MAX_BYTES:
        raise InvalidPlan(f"{file_name} is not a valid study plan: it is larger than 1 MB.")
    try:
        return msgspec.json.decode(text, type=StudyPlan)
    except msgspec.ValidationError as error:
        path, problem = path_and_problem(error)
        hint = _VALID_VALUES.get(path.rpartition(".")[2].partition("[")[0]) if "field" not in problem else None
        raise InvalidPlan(
            f"{file_name} is not a valid study plan{f', at {path}' if path else ''}: {problem}."
            f"{f' Valid values: {hint}.' if hint else ''}"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidPlan(f"{file_name} is not a valid study plan: invalid JSON ({error}).") from error
    except FacetError as error:
        raise InvalidPlan(f"{file_name}: {error.message}") from error


def _problem(plan: StudyPlan) -> str:
    """Return the problem of a plan whose fields are valid individually; "" without one."""
    if not plan.name.strip():
        return '"name" is empty. Enter the name for `facet lab show`.'
    if not plan.original.strip():
        return '"original" is empty. Enter the name, id or folder of a model.'
    if not plan.candidates and not plan.recipes:
        return 'there is nothing to measure. Add "candidates", "recipes" or both.'
    if not plan.cache_bits:
        return '"cache_bits" is empty. The usual value is [16].'
    for fields, gate in _required_speeds(plan.gates) if plan.gates else ():
        if plan.speed is None or not any(getattr(plan.speed, field) for field in fields):
            return (
                f'"gates" need a speed measurement for {gate}, but "speed" has no {fields[0]}. Add some, or change '
                "the gates."
            )
    return ""


def _required_speeds(gates: Gates) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each gate that requires a speed, after the fields of the speed plan that would satisfy it."""
    if gates.prefer == "fastest":
        yield ("depths",), '"prefer": "fastest"'
    if gates.min_decode_tokens_per_s is not None:
        yield ("depths",), '"min_decode_tokens_per_s"'
    if gates.min_prefill_tokens_per_s is not None:
        yield ("prompts",), '"min_prefill_tokens_per_s"'
    if gates.max_memory_bytes is not None:
        yield ("prompts", "depths"), '"max_memory_bytes"'


def _with_absolute_paths(plan: StudyPlan, folder: Path) -> StudyPlan:
    """Return the plan with absolute paths. Files, and models that start with a dot, are relative to `folder`."""

    def file(name: str) -> str:
        return str(folder / os.path.expanduser(name))  # noqa: PTH111 - Path raises for an unknown user

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
