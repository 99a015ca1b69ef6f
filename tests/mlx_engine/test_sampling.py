"""The ranges of the sampling values."""

import math

import pytest

from mlx_engine.declared import check_struct
from mlx_engine.errors import InvalidParameter
from mlx_engine.sampling import Sampling, sampling_fields


def test_the_defaults_are_legal() -> None:
    """Every default lies within its own range and is described."""
    check_struct(Sampling())
    for field in sampling_fields().values():
        assert field.allows(field.default)
        assert field.sentence.endswith(".")


@pytest.mark.parametrize(
    ("sampling", "sentence"),
    [
        (Sampling(temperature=3), "temperature is 3; it must be from 0 to 2."),
        (Sampling(temperature=math.nan), "temperature is nan; it must be from 0 to 2."),
        (Sampling(min_p=math.inf), "min_p is inf; it must be from 0 to 1."),
        (Sampling(top_p=0), "top_p is 0; it must be above 0 and at most 1."),
        (Sampling(top_k=1001), "top_k is 1001; it must be a whole number from 0 to 1,000."),
        (Sampling(top_k=True), "top_k is True; it must be a whole number from 0 to 1,000."),
        (Sampling(repetition_penalty=0.1), "repetition_penalty is 0.1; it must be from 0.5 to 2."),
        (Sampling(seed=-1), "seed is -1; it must be a whole number from 0 to 4,294,967,295."),
        (Sampling(stop=("",)), "stop is ('',); it must be at most 16 texts of 1 to 200 characters each."),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_range(sampling: Sampling, sentence: str) -> None:
    """The sentence names the value and everything that would be legal; NaN and infinity are never legal."""
    with pytest.raises(InvalidParameter) as caught:
        check_struct(sampling)
    assert caught.value.message == sentence


def test_both_ends_of_a_range_are_legal_unless_excluded() -> None:
    """The bounds that the dialog offers are accepted by the check."""
    for field in sampling_fields().values():
        if field.kind != "texts":
            assert field.allows(field.maximum)
            assert field.allows(field.minimum) is not field.open_minimum


def test_only_the_seed_may_be_left_out() -> None:
    """None means no seed; it is no legal value of another field."""
    assert [field.name for field in sampling_fields().values() if field.allows(None)] == ["seed"]
