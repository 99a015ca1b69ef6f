"""The sampling values as options. Ranges and descriptions come from `Sampling`; nothing is declared twice."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from mlx_engine.cli.views.failure import UsageError
from mlx_engine.errors import InvalidParameter
from mlx_engine.models.description import recommendation
from mlx_engine.sampling import Sampling, sampling_fields

_defaults = Sampling()


def _option(name: str) -> Parameter:
    field = sampling_fields()[name]
    legal = field.legal_values
    otherwise = f" Otherwise what the model recommends, or {field.default:g}." if name in recommendation.NAMES else ""
    return Parameter(
        help=f"{field.sentence} {legal[0].upper()}{legal[1:]}.{otherwise}",
        negative=(),
        show_default=not otherwise and field.default not in (None, ()),
        allow_leading_hyphen=True,
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingOptions:
    """One option a field of `Sampling`, by the same name; None is one that was not given."""

    temperature: Annotated[float | None, _option("temperature")] = None
    top_p: Annotated[float | None, _option("top_p")] = None
    top_k: Annotated[int | None, _option("top_k")] = None
    min_p: Annotated[float | None, _option("min_p")] = None
    repetition_penalty: Annotated[float | None, _option("repetition_penalty")] = None
    seed: Annotated[int | None, _option("seed")] = _defaults.seed
    max_tokens: Annotated[int, _option("max_tokens")] = _defaults.max_tokens
    stop: Annotated[tuple[str, ...], _option("stop")] = _defaults.stop

    @property
    def given(self) -> dict[str, Any]:
        """The values that were given, by their names."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def sampling(self) -> Sampling:
        """Return the values, Facet's own where none was given.

        Raises:
            UsageError: one is out of its range; the message names the option and the range.
        """
        fields = sampling_fields()
        for name, value in self.given.items():
            try:
                fields[name].check(value, f"--{name.replace('_', '-')}")
            except InvalidParameter as error:
                raise UsageError(error.message) from error
        return Sampling(**self.given)
