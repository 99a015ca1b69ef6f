"""Behaviour of the chart of costs against losses."""

import pytest

from mlx_engine.measure.charts.pareto import Pareto, pareto
from mlx_engine.measure.charts.quantities import DECODING, DISAGREEMENT, MEAN_KL, MEMORY, PERPLEXITY, SIZE, Quantity
from mlx_engine.measure.charts.scene import Disc, Line, Words
from mlx_engine.measure.charts.style import Style
from tests.mlx_engine.measure.charts.studies import NINE, study

STYLE = Style()


def _texts(chart: Pareto) -> list[str]:
    return [item.text for item in chart.draw(640, 400, STYLE).items if isinstance(item, Words)]


def test_those_that_another_beats_in_both_are_dominated() -> None:
    """Of two of one size the one that loses more; the original is no candidate, and beats none."""
    marks = {mark.name: mark for mark in pareto(study()).marks}
    assert [name for name, mark in marks.items() if mark.is_dominated] == ["balanced-4"]
    assert marks["original"].is_reference


def test_of_speeds_more_is_better() -> None:
    """What is slower and farther off is dominated, what is faster is not."""
    rows = (("slow", 4.0, 0.5, 0.2, 100.0), ("fast", 4.0, 0.1, 0.1, 200.0), ("fastest", 4.0, 1.0, 0.4, 300.0))
    dominated = [mark.name for mark in pareto(study(rows), DECODING).marks if mark.is_dominated]
    assert dominated == ["slow"]


def test_two_that_are_the_same_beat_each_other_not() -> None:
    rows = (("one", 4.0, 0.1, 0.1, 100.0), ("other", 4.0, 0.1, 0.1, 100.0))
    assert not any(mark.is_dominated for mark in pareto(study(rows)).marks)


def test_the_front_goes_through_what_is_not_dominated() -> None:
    """From the smallest to the largest, the original left out."""
    scene = pareto(study()).draw(640, 400, STYLE)
    (front,) = (item for item in scene.items if isinstance(item, Line) and item.ink == "accent" and item.dash)
    through = {item.middle for item in scene.items if isinstance(item, Disc) and item.fill == "accent"}
    assert set(front.points) == through
    assert len(through) == len(NINE) - 1
    assert [point.x for point in front.points] == sorted(point.x for point in front.points)


def test_a_line_stands_at_the_memory_of_this_machine() -> None:
    """Between those that fit and those that do not; where memory is not shown there is none."""
    chart = pareto(study(), MEMORY, memory_bytes=150_000_000)
    scene = chart.draw(640, 400, STYLE)
    (line,) = (item for item in scene.items if isinstance(item, Line) and item.ink == "warning")
    for mark, target in zip(chart.marks, scene.targets, strict=True):
        assert (target.area.middle.x < line.points[0].x) == (mark.x.value < 150_000_000)
    assert "This Mac: 150 MB" in _texts(chart)
    assert not any("This Mac" in text for text in _texts(pareto(study(), SIZE, memory_bytes=150_000_000)))


def test_memory_far_beyond_all_models_is_told_in_words() -> None:
    """A line there would push all of them to one side."""
    assert "This Mac: 48.0 GB →" in _texts(pareto(study(), MEMORY, memory_bytes=48_000_000_000))


def test_the_original_has_no_place_on_a_logarithmic_scale_and_says_so() -> None:
    """Its divergence from itself is 0: it stands at the bottom."""
    assert "original: 0" in _texts(pareto(study()))


@pytest.mark.parametrize("up", [MEAN_KL, PERPLEXITY, DISAGREEMENT])
@pytest.mark.parametrize("across", [SIZE, MEMORY, DECODING])
def test_all_candidates_are_named_in_words_too(across: Quantity, up: Quantity) -> None:
    """For those who do not see the chart, whatever it shows."""
    description = pareto(study(), across, up).description
    assert all(f" {name}: " in description for name, *_ in NINE)


def test_the_caption_says_how_sure_the_figures_are() -> None:
    """What is kept of the original's answers bounds them, and what grey means is told where something is grey."""
    assert "may be off by 0.000200 nats" in pareto(study()).caption
    assert "after 0 tokens of context. Median of 3" in pareto(study(), DECODING).caption
    assert "off by" not in pareto(study(), DECODING, DISAGREEMENT).caption
    assert "Grey" in pareto(study()).caption
    assert "Grey" not in pareto(study(NINE[:3])).caption


def test_a_candidate_without_a_figure_is_left_out() -> None:
    """A broken one does not hide the others."""
    rows = (*NINE, ("broken", 4.0, float("nan"), 0.5, 50.0))
    assert "broken" not in [mark.name for mark in pareto(study(rows)).marks]
    assert len(pareto(study(rows)).marks) == len(NINE) + 1
