"""Sampling parameters as options of the command line. Ranges and descriptions come from `Sampling`."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from mlx_engine.cli.views.failure import UsageError
from mlx_engine.errors import InvalidParameter
from mlx_engine.models.description import recommendation
from mlx_engine.sampling import Sampling, sampling_fields

_DEFAULTS = Sampling()


def _option(name: str) -> Parameter:
    field = sampling_fields()[name]
    legal = field.legal_values
    default = f" Default: the model's recommendation, or {field.default:g}." if name in recommendation.NAMES else ""
    return Parameter(
        help=f"{field.sentence} {legal[0].upper()}{legal[1:]}.{default}",
        negative=(),
        show_default=not default and field.default not in (None, ()),
        allow_leading_hyphen=True,
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingOptions:
    """Options with the names of the fields of `Sampling`; None if not set."""

    temperature: Annotated[float | None, _option("temperature")] = None
    top_p: Annotated[float | None, _option("top_p")] = None
    top_k: Annotated[int | None, _option("top_k")] = None
    min_p: Annotated[float | None, _option("min_p")] = None
    repetition_penalty: Annotated[float | None, _option("repetition_penalty")] = None
    seed: Annotated[int | None, _option("seed")] = _DEFAULTS.seed
    max_tokens: Annotated[int, _option("max_tokens")] = _DEFAULTS.max_tokens
    stop: Annotated[tuple[str, ...], _option("stop")] = _DEFAULTS.stop

    @property
    def explicit(self) -> dict[str, Any]:
        """The values that are set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def sampling(self) -> Sampling:
        """Return the values, with Facet's defaults for those not set.

        Raises:
            UsageError: a value is out of range; the message names the option and the range.
        """
        fields = sampling_fields()
        for name, value in self.explicit.items():
            try:
                fields[name].check(value, f"--{name.replace('_', '-')}")
            except InvalidParameter as error:
                raise UsageError(error.message) from error
        return Sampling(**self.explicit)
