"""Reports as Markdown."""

from markdown_it import MarkdownIt

from mlx_engine.measure.report.markdown import card, escaped, markdown
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.study.study import Row
from tests.mlx_engine.measure.charts.studies import FEW, study
from tests.mlx_engine.measure.report.hostile import SCRIPT, hostile


def _rendered(text: str) -> str:
    """Return the HTML of a renderer that allows HTML."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_a_study_has_a_table_and_its_method() -> None:
    """With all rows and measured figures."""
    page = _rendered(markdown(Subject(study(FEW))))
    assert page.count("<tr>") == 5
    assert "0.0410 ± 0.0021" in page
    assert "4,096 positions in 16 chunks of " in page


def test_hostile_names_are_escaped() -> None:
    """Neither HTML nor Markdown becomes active: no element, link or additional cell."""
    page = _rendered(markdown(Subject(hostile())))
    assert "<script" not in page
    assert "<img" not in page
    assert "<a " not in page
    assert SCRIPT.replace("<", "&lt;").replace(">", "&gt;") in page
    rows = [row for row in page.split("<tr>")[1:] if "<td" in row]
    assert len({row.count("<td") for row in rows}) == 1


def test_list_markers_in_names_are_escaped() -> None:
    """A name such as "1. one" or "- two" stays a name within a list."""
    for name in ("1. one", "- two", "# three", "> four"):
        assert _rendered(f"- {escaped(name)}").count("<li>") == 1
        assert "<h1>" not in _rendered(escaped(name))


def test_a_card_describes_the_loss_of_a_model() -> None:
    """With a verdict, and every figure with its method."""
    page = _rendered(card(study(FEW).rows[2]))
    assert "about 14 of 100 next words differ from the original; close" in page
    assert "<td" in page
    assert "0.0410 ± 0.0021 nats" in page
    assert "210 (204 to 214) tok/s" in page


def test_a_model_without_measurements_has_no_card() -> None:
    assert card(Row(label="a/b", path="")) == ""
