"""Short names of the rows of a study."""

from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study


def _short(original: str, *candidates: str) -> list[str]:
    rows = (Row(label=original, path="", is_original=True), *(Row(label=label, path="") for label in candidates))
    return list(short_names(Study(plan=StudyPlan(name="", original=original), rows=rows)).values())


def test_a_short_name_is_the_part_after_the_name_of_the_original() -> None:
    """Owner, model and revision are left out."""
    assert _short("maker/Model@main", "me/Model-4bit", "other/Model_8bit@v2") == ["original", "4bit", "8bit"]


def test_the_precision_of_the_original_is_left_out() -> None:
    """Only whole words are compared: 40B does not start with 4B."""
    assert _short("maker/Model-4B-bf16", "me/model-4B-4bit", "me/Model-40B-4bit")[1:] == ["4bit", "40B-4bit"]


def test_an_unrelated_name_is_not_shortened() -> None:
    assert _short("maker/Model", "maker/Another-4bit") == ["original", "Another-4bit"]


def test_equal_short_names_are_replaced_by_the_labels() -> None:
    """Two owners may have a 4-bit conversion."""
    assert _short("maker/Model", "a/Model-4bit", "b/Model-4bit")[1:] == ["a/Model-4bit", "b/Model-4bit"]


def test_short_names_are_safe_to_display() -> None:
    """The name of a folder may contain line breaks and control characters."""
    assert _short("maker/Model", "me/Model-a\nb", "me/Model-\u202ec")[1:] == ["a b", "⟨U+202E⟩c"]
