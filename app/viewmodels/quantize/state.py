"""What is known of the model that is about to be quantized: a union of small values."""

from dataclasses import dataclass

from app.viewmodels.quantize.recipe_cards import RecipeForecaster
from mlx_engine.models.description.description import ModelDescription


@dataclass(frozen=True, slots=True)
class Idle:
    """No model was chosen."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A process reads of what the model consists."""

    model: ModelDescription


@dataclass(frozen=True, slots=True)
class Fetching:
    """A process reads of what a model on the Hub consists."""

    repository: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The model on the Hub cannot be read, or not be quantized."""

    repository: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Coming:
    """The weights of the model are on the Hub: all that is to come, and the least that has to be here at a time."""

    missing_bytes: int
    least_bytes: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """The model cannot be quantized, or not be read."""

    model: ModelDescription
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything is known that a forecast needs; `notes` say what the source loses, or has lost already."""

    model: ModelDescription
    forecaster: RecipeForecaster
    notes: tuple[str, ...] = ()
    coming: Coming | None = None
    """Of a model on the Hub, of which only the headers are here."""


State = Idle | Reading | Fetching | Trouble | Unreachable | Ready
