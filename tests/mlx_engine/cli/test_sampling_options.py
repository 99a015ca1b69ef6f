import dataclasses
from typing import Any

import pytest

from mlx_engine.cli.sampling_options import SamplingOptions
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.sampling import Sampling, sampling_fields


def test_every_sampling_parameter_has_an_option_with_its_default() -> None:
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
def test_an_error_names_the_option_and_its_range(values: dict[str, Any], option: str, legal: str) -> None:
    with pytest.raises(UsageError) as caught:
        SamplingOptions(**values).sampling()

    assert str(caught.value).startswith(option)
    assert legal in str(caught.value)
