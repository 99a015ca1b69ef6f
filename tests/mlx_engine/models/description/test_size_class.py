import pytest

from mlx_engine.models.description.size_class import size_class


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        (0, "nano"),
        (99_999_999, "nano"),
        (100_000_000, "micro"),
        (1_449_999_999, "micro"),
        (1_540_000_000, "small"),
        (8_030_000_000, "small"),
        (13_949_999_999, "small"),
        (14_770_000_000, "medium"),
        (30_530_000_000, "medium"),
        (32_760_000_000, "large"),
    ],
)
def test_classes_follow_the_names_of_models(parameters: int, name: str) -> None:
    """The rounded size decides."""
    assert size_class(parameters) == name
