"""Behaviour of the short names of a study's rows."""

from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study


def _short(original: str, *others: str) -> list[str]:
    rows = (Row(label=original, path="", is_original=True), *(Row(label=label, path="") for label in others))
    return list(short_names(Study(plan=StudyPlan(name="", original=original), rows=rows)).values())


def test_a_name_is_what_is_added_to_the_original() -> None:
    """Owner, model and revision are the same for all, and say nothing."""
    assert _short("maker/Model@main", "me/Model-4bit", "other/Model_8bit@v2") == ["original", "4bit", "8bit"]


def test_the_precision_of_the_original_is_no_part_of_the_name() -> None:
    """Words count whole: a model of 40 billion parameters is not one of 4 with a 0."""
    assert _short("maker/Model-4B-bf16", "me/model-4B-4bit", "me/Model-40B-4bit")[1:] == ["4bit", "40B-4bit"]


def test_a_name_of_its_own_stays_whole() -> None:
    assert _short("maker/Model", "maker/Another-4bit") == ["original", "Another-4bit"]


def test_names_that_are_the_same_get_their_owner_back() -> None:
    """Two people have made a 4-bit one."""
    assert _short("maker/Model", "a/Model-4bit", "b/Model-4bit")[1:] == ["a/Model-4bit", "b/Model-4bit"]


def test_a_wild_name_is_one_line_that_can_be_seen() -> None:
    """A folder may be called anything; it neither breaks a line nor turns its direction."""
    assert _short("maker/Model", "me/Model-a\nb", "me/Model-\u202ec")[1:] == ["a b", "⟨U+202E⟩c"]
