import dataclasses
from typing import Any

import pytest

from mlx_engine.cli.sampling_options import SamplingOptions
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.sampling import Sampling, sampling_fields


def test_every_sampling_value_has_its_option_with_the_same_default() -> None:
    """A field added to `Sampling` must be reachable from the command line."""
    assert [field.name for field in dataclasses.fields(SamplingOptions)] == list(sampling_fields())
    assert SamplingOptions().sampling() == Sampling()


@pytest.mark.parametrize(
    ("values", "option", "legal"),
    [
        ({"temperature": 2.5}, "--temperature is 2.5", "from 0 to 2"),
        ({"temperature": float("nan")}, "--temperature is nan", "from 0 to 2"),
        ({"top_p": 0.0}, "--top-p is 0.0", "above 0 and at most 1"),
        ({"max_tokens": 0}, "--max-tokens is 0", "from 1 to"),
        ({"stop": ("",)}, "--stop is ('',)", "1 to 200 characters"),
    ],
)
def test_a_value_out_of_range_names_the_option_and_the_range(values: dict[str, Any], option: str, legal: str) -> None:
    """The person reads what they typed and what they may type."""
    with pytest.raises(UsageError) as caught:
        SamplingOptions(**values).sampling()

    assert str(caught.value).startswith(option)
    assert legal in str(caught.value)
