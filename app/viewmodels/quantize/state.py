"""What is known of the model that is about to be quantized: a union of small values."""

from dataclasses import dataclass

from app.viewmodels.quantize.recipe_cards import RecipeForecaster
from mlx_engine.models.description.description import ModelDescription


@dataclass(frozen=True, slots=True)
class NoModel:
    """No model was chosen."""


@dataclass(frozen=True, slots=True)
class ReadingModel:
    """A process reads of what the model consists."""

    model: ModelDescription


@dataclass(frozen=True, slots=True)
class FetchingModel:
    """A process reads of what a model on the Hub consists."""

    repository: str


@dataclass(frozen=True, slots=True)
class RepositoryFailed:
    """The model on the Hub cannot be read, or not be quantized."""

    repository: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class PendingDownload:
    """The weights of the model are on the Hub: all that is to come, and the least that has to be here at a time."""

    missing_bytes: int
    least_bytes: int


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The model cannot be quantized, or not be read."""

    model: ModelDescription
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class RecipesReady:
    """Everything is known that a forecast needs; `notes` say what the source loses, or has lost already."""

    model: ModelDescription
    forecaster: RecipeForecaster
    notes: tuple[str, ...] = ()
    coming: PendingDownload | None = None
    """Of a model on the Hub, of which only the headers are here."""


QuantizeState = NoModel | ReadingModel | FetchingModel | ModelFailed | RepositoryFailed | RecipesReady
