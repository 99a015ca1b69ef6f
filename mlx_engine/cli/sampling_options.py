"""The sampling values as options. Ranges and descriptions come from `Sampling`; nothing is declared twice."""

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli.failure import UsageError
from mlx_engine.sampling import Sampling, sampling_fields

_defaults = Sampling()


def _option(name: str) -> Parameter:
    field = sampling_fields()[name]
    legal = field.range_in_words
    return Parameter(
        help=f"{field.description} {legal[0].upper()}{legal[1:]}.",
        negative=(),
        show_default=field.default not in (None, ()),
        allow_leading_hyphen=True,
    )


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingOptions:
    """One option a field of `Sampling`, by the same name."""

    temperature: Annotated[float, _option("temperature")] = _defaults.temperature
    top_p: Annotated[float, _option("top_p")] = _defaults.top_p
    top_k: Annotated[int, _option("top_k")] = _defaults.top_k
    min_p: Annotated[float, _option("min_p")] = _defaults.min_p
    repetition_penalty: Annotated[float, _option("repetition_penalty")] = _defaults.repetition_penalty
    seed: Annotated[int | None, _option("seed")] = _defaults.seed
    max_tokens: Annotated[int, _option("max_tokens")] = _defaults.max_tokens
    stop: Annotated[tuple[str, ...], _option("stop")] = _defaults.stop

    def sampling(self) -> Sampling:
        """Return the values.

        Raises:
            UsageError: one is out of its range; the message names the option and the range.
        """
        values = asdict(self)
        for name, field in sampling_fields().items():
            if not field.allows(values[name]):
                option = name.replace("_", "-")
                raise UsageError(f"--{option} is {values[name]!r}; it must be {field.range_in_words}.")
        return Sampling(**values)
