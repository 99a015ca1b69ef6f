"""The chart of cost against loss."""

import msgspec
import pytest

from mlx_engine.measure.charts.chart import caption
from mlx_engine.measure.charts.pareto import ACROSS, UP, Pareto, pareto
from mlx_engine.measure.charts.scene import DiscItem, LineItem, TextItem
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import (
    DECODE_SPEED,
    PEAK_MEMORY,
    SIZE,
    TOP1_DISAGREEMENT,
)
from mlx_engine.measure.study.study import StepFailure
from tests.mlx_engine.measure.charts.studies import FEW, NINE, study

STYLE = Style()


def _texts(chart: Pareto) -> list[str]:
    return [item.text for item in chart.draw(640, 400, STYLE).items if isinstance(item, TextItem)]


def test_a_mark_that_another_beats_in_both_figures_is_dominated() -> None:
    """Of equal sizes, the one with more loss. The original is not a candidate and dominates none."""
    marks = {mark.name: mark for mark in pareto(study()).marks}
    assert [name for name, mark in marks.items() if mark.is_dominated] == ["balanced-4bit"]
    assert marks["original"].is_reference


def test_more_speed_is_better() -> None:
    """A slower mark with more loss is dominated, a faster one is not."""
    rows = (("slow", 4.0, 0.5, 0.2, 100.0), ("fast", 4.0, 0.1, 0.1, 200.0), ("fastest", 4.0, 1.0, 0.4, 300.0))
    dominated = [mark.name for mark in pareto(study(rows), DECODE_SPEED).marks if mark.is_dominated]
    assert dominated == ["slow"]


def test_equal_marks_do_not_dominate_each_other() -> None:
    rows = (("one", 4.0, 0.1, 0.1, 100.0), ("other", 4.0, 0.1, 0.1, 100.0))
    assert not any(mark.is_dominated for mark in pareto(study(rows)).marks)


def test_the_front_connects_the_marks_that_are_not_dominated() -> None:
    """From smallest to largest, without the original."""
    scene = pareto(study()).draw(640, 400, STYLE)
    (front,) = (item for item in scene.items if isinstance(item, LineItem) and item.ink == "accent" and item.dash)
    through = {item.middle for item in scene.items if isinstance(item, DiscItem) and item.fill == "accent"}
    assert set(front.points) == through
    assert len(through) == len(NINE) - 1
    assert [point.x for point in front.points] == sorted(point.x for point in front.points)


def test_a_line_shows_the_memory_of_this_mac() -> None:
    """Between the models that fit and those that do not; other axes have none."""
    chart = pareto(study(), PEAK_MEMORY, memory_bytes=150_000_000)
    scene = chart.draw(640, 400, STYLE)
    (line,) = (item for item in scene.items if isinstance(item, LineItem) and item.ink == "warning")
    for mark, target in zip(chart.marks, scene.targets, strict=True):
        assert (target.area.middle.x < line.points[0].x) == (mark.x.value < 150_000_000)
    assert "This Mac: 143 MB" in _texts(chart)
    assert not any("This Mac" in text for text in _texts(pareto(study(), SIZE, memory_bytes=150_000_000)))


def test_memory_far_beyond_all_models_is_a_note() -> None:
    """A line there would push all marks to one side."""
    assert "This Mac: 48 GB →" in _texts(pareto(study(), PEAK_MEMORY, memory_bytes=48 * 2**30))


def test_a_divergence_of_0_has_its_own_place_on_a_logarithmic_scale() -> None:
    """That of the original and of an identical candidate: at a 0 below all other values."""
    chart = pareto(study((*NINE, ("copy", 16.0, 0.0, 0.0, 88.0))))
    scene = chart.draw(640, 400, STYLE)
    at = {target.text.partition(":")[0]: target.area.middle.y for target in scene.targets}
    assert at["original"] == at["copy"]
    assert all(height < at["copy"] - 20 for name, height in at.items() if name not in ("original", "copy"))
    (zero,) = (item for item in scene.items if isinstance(item, TextItem) and item.text == "0")
    assert abs(zero.at.y - at["copy"]) < STYLE.size
    (line,) = (item for item in scene.items if isinstance(item, LineItem) and item.ink == "tertiary" and item.dash)
    assert line.points[0].y == at["copy"]


def test_names_without_space_are_counted() -> None:
    """Marks on the front are named first."""
    rows = tuple((f"recipe-{number}", 4.0 + number / 1e4, 0.1, 0.1, 100.0) for number in range(50))
    texts = _texts(pareto(study(rows)))
    (left_out,) = (text for text in texts if text.endswith("have no room"))
    assert int(left_out.split()[0]) + sum(text.startswith("recipe") for text in texts) == 50
    assert "recipe-0" in texts


def test_a_missing_measurement_has_its_reason() -> None:
    """It is not planned, has failed, or is still to come."""
    base = study(FEW)
    rows = tuple(msgspec.structs.replace(row, speed=None) for row in base.rows)
    slow = StepFailure("speed", "It ended", "Close other programs.")
    failed = tuple(msgspec.structs.replace(row, failures=(slow,)) for row in rows)
    unplanned = msgspec.structs.replace(base.plan, speed=None)
    for study_, reason in (
        (msgspec.structs.replace(base, rows=rows), "Speed was not measured yet."),
        (msgspec.structs.replace(base, rows=failed), "Speed was not measured: It ended. Close other programs."),
        (msgspec.structs.replace(base, rows=rows, plan=unplanned), "This study does not measure speed."),
    ):
        assert reason in pareto(study_, DECODE_SPEED).description


def test_the_caption_names_missing_models() -> None:
    base = study(FEW)
    rows = (*base.rows[:-1], msgspec.structs.replace(base.rows[-1], speed=None))
    below = caption(pareto(msgspec.structs.replace(base, rows=rows), DECODE_SPEED))
    assert "Not shown because of missing measurements: 2-bit." in below


def test_one_chunk_has_no_standard_error() -> None:
    base = study(FEW)
    rows = [
        msgspec.structs.replace(
            row,
            fidelity=tuple(
                msgspec.structs.replace(result, fidelity=msgspec.structs.replace(result.fidelity, chunks=1))
                for result in row.fidelity
            ),
        )
        for row in base.rows
    ]
    assert "a standard error needs more than one chunk" in caption(
        pareto(msgspec.structs.replace(base, rows=tuple(rows)))
    )


@pytest.mark.parametrize("up", UP, ids=lambda figure: figure.key)
@pytest.mark.parametrize("across", ACROSS, ids=lambda figure: figure.key)
def test_the_description_names_all_candidates(across: Figure, up: Figure) -> None:
    """For users who cannot see the chart."""
    description = pareto(study(), across, up).description
    assert all(f" {name}: " in description for name, *_ in NINE)


def test_the_caption_has_the_errors_of_the_figures() -> None:
    """It has the error bound of the stored predictions, and explains gray marks if there are any."""
    assert "may be off by 0.000200 nats" in caption(pareto(study()))
    assert "after 0 tokens of context. Median of 3" in caption(pareto(study(), DECODE_SPEED))
    assert "off by" not in caption(pareto(study(), DECODE_SPEED, TOP1_DISAGREEMENT))
    assert "Gray" in caption(pareto(study()))
    assert "Gray" not in caption(pareto(study(NINE[:3])))


def test_a_candidate_without_a_figure_is_left_out() -> None:
    """A broken candidate does not hide the others."""
    rows = (*NINE, ("broken", 4.0, float("nan"), 0.5, 50.0))
    assert "broken" not in [mark.name for mark in pareto(study(rows)).marks]
    assert len(pareto(study(rows)).marks) == len(NINE) + 1
