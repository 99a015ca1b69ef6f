"""States of the Quantize page: a union of small values."""

from dataclasses import dataclass

from app.viewmodels.quantize.recipe_cards import RecipeForecaster
from mlx_engine.models.description.description import ModelDescription


@dataclass(frozen=True, slots=True)
class NoModel:
    """No model is selected."""


@dataclass(frozen=True, slots=True)
class ReadingModel:
    """A process reads the model's layers."""

    model: ModelDescription


@dataclass(frozen=True, slots=True)
class FetchingModel:
    """A process reads the layers of a model on the Hub."""

    repository: str


@dataclass(frozen=True, slots=True)
class RepositoryFailed:
    """A model on the Hub cannot be read or quantized."""

    repository: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class PendingDownload:
    """Weights to download: all missing bytes, and the peak if each file is removed after use."""

    missing_bytes: int
    least_bytes: int


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """A local model cannot be read or quantized."""

    model: ModelDescription
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class RecipesReady:
    """Forecasts are available; `notes` are sentences about losses of the source, past or by conversion."""

    model: ModelDescription
    forecaster: RecipeForecaster
    notes: tuple[str, ...] = ()
    download: PendingDownload | None = None
    """For a model on the Hub."""


QuantizeState = NoModel | ReadingModel | FetchingModel | ModelFailed | RepositoryFailed | RecipesReady
