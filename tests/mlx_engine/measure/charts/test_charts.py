"""All charts: no text is cut off or overlaps, and each can be saved."""

from collections.abc import Callable
from itertools import combinations
from xml.etree import ElementTree as ET

import msgspec
import pytest

from mlx_engine.measure.charts.bars import bars
from mlx_engine.measure.charts.chart import Chart, caption, chart_svg, page
from mlx_engine.measure.charts.distribution import distribution
from mlx_engine.measure.charts.kinds import kinds
from mlx_engine.measure.charts.pareto import pareto
from mlx_engine.measure.charts.scene import Area, LineItem, Scene, TextItem
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figures import DECODE_SPEED, MEAN_KL, PEAK_MEMORY, PERPLEXITY, TOP1_DISAGREEMENT
from mlx_engine.measure.study.study import Study
from tests.mlx_engine.measure.charts.studies import FEW, NINE, study

LONG = tuple((f"{name}-with-a-name-that-goes-on-and-on", *rest) for name, *rest in NINE)
HUGE = (("close", 8.0, 1e-8, 1e-4, 0.5), ("far", 2.0, 12.0, 0.99, 4000.0), ("middling", 4.5, 0.04, 0.1, 90.0))
MANY = tuple(
    (f"{name}-{turn}", bits + turn / 9, kl / (1 + turn), *rest) for turn in range(3) for name, bits, kl, *rest in NINE
)[:25]

CHARTS: dict[str, Callable[[Study], Chart]] = {
    "size": pareto,
    "memory": lambda study: pareto(study, PEAK_MEMORY, PERPLEXITY, memory_bytes=200_000_000),
    "speed": lambda study: pareto(study, DECODE_SPEED, TOP1_DISAGREEMENT),
    "bars": lambda study: bars(study, MEAN_KL),
    "bars of speed": lambda study: bars(study, DECODE_SPEED),
    "kinds": lambda study: kinds(study, MEAN_KL),
    "distribution": distribution,
}
SAME = (("copy", 16.0, 0.0, 0.0, 88.0), *((f"4-bit-{turn}", 4.5, 0.041, 0.14, 210.0) for turn in range(3)))
ALIKE = (("copy", 16.0, 0.0, 0.0, 88.0),)
STUDIES = {
    "few": FEW,
    "one": FEW[:1],
    "nine": NINE,
    "long": LONG,
    "huge": HUGE,
    "many": MANY,
    "same": SAME,
    "alike": ALIKE,
}


def _texts(scene: Scene, style: Style) -> list[tuple[str, Area]]:
    return [(item.text, style.area(item)) for item in scene.items if isinstance(item, TextItem)]


def _check(scene: Scene, style: Style) -> None:
    texts = _texts(scene, style)
    bounds = Area(-1, -1, scene.width + 2, scene.height + 2)
    assert [text for text, area in texts if not bounds.holds(area)] == []
    # Lines of text have space above and below their letters, which may overlap.
    tight = [
        (text, Area(area.left, area.top + area.height * 0.2, area.width, area.height * 0.6)) for text, area in texts
    ]
    assert [(first[0], second[0]) for first, second in combinations(tight, 2) if first[1].overlaps(second[1])] == []


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("rows", STUDIES)
@pytest.mark.parametrize(("size", "width"), [(12.0, 760), (12.0, 340), (24.0, 760), (24.0, 560)])
def test_texts_are_neither_cut_off_nor_overlap(chart: str, rows: str, size: float, width: int) -> None:
    """At 100% and 200%, in wide and narrow windows, for few and many, short and long names."""
    style, tested = Style(size), CHARTS[chart](study(STUDIES[rows]))
    _check(tested.draw(width, max(460, tested.least_height(style)), style), style)


@pytest.mark.parametrize("chart", CHARTS)
def test_each_mark_has_a_target(chart: str) -> None:
    """With a text and the label of its row."""
    scene = CHARTS[chart](study()).draw(760, 600, Style())
    assert {target.label for target in scene.targets} >= {row.label for row in study().candidates}
    assert len({target.key for target in scene.targets}) == len(scene.targets)
    assert all(target.text for target in scene.targets)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_without_results_says_so(chart: str) -> None:
    """Here no candidate has been measured yet."""
    planned = study(FEW)
    rows = tuple(msgspec.structs.replace(row, fidelity=(), speed=None) for row in planned.rows)
    scene = CHARTS[chart](msgspec.structs.replace(planned, rows=rows)).draw(500, 300, Style())
    assert _texts(scene, Style())
    assert not scene.targets


@pytest.mark.parametrize("chart", CHARTS)
def test_a_file_is_svg_with_title_and_caption(chart: str) -> None:
    """Names cannot break it."""
    hostile = study((("<b>&\"'\x07", 4.0, 0.1, 0.1, 100.0), *FEW))
    tested = CHARTS[chart](hostile)
    tree = ET.fromstring(chart_svg(tested))  # noqa: S314 - our own
    texts = [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == tested.title
    assert "".join(caption(tested).split()) in "".join("".join(texts).split())
    assert any("<b>&\"'" in text for text in texts)
    _check(page(tested), Style(14.0))


def test_results_without_counts_have_no_curve() -> None:
    """An earlier version wrote no counts."""
    base = study(FEW)
    old = [
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(result, kl_counts=()) for result in row.fidelity)
        )
        for row in base.candidates[:2]
    ]
    assert len(distribution(msgspec.structs.replace(base, rows=(base.original, *old, base.rows[3]))).curves) == 1


def test_a_figure_does_not_overlap_the_line_of_the_original() -> None:
    """If a bar ends just before the line, its figure is behind it."""
    rows = (("fast", 4.5, 0.04, 0.1, 200.0), ("slow", 3.0, 0.4, 0.3, 80.0))
    style = Style()
    scene = bars(study(rows), DECODE_SPEED).draw(500, 300, style)
    line = next(item for item in scene.items if isinstance(item, LineItem) and item.dash)
    areas = dict(_texts(scene, style))
    assert areas["80.0"].left > line.points[0].x


def test_bars_are_ordered_best_first() -> None:
    """Less divergence is better, and more speed."""
    assert [bar.name for bar in bars(study(FEW), MEAN_KL).bars] == ["8-bit", "4-bit", "2-bit"]
    assert [bar.name for bar in bars(study(FEW), DECODE_SPEED).bars] == ["2-bit", "4-bit", "8-bit"]


def test_the_caption_warns_of_a_stand_in() -> None:
    base = study(FEW)
    rows = [
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(result, is_stand_in=True) for result in row.fidelity)
        )
        for row in base.candidates
    ]
    assert "lower bound" in caption(pareto(msgspec.structs.replace(base, rows=(base.original, *rows))))


@pytest.mark.parametrize("chart", ["kinds", "distribution"])
def test_of_many_curves_only_the_ends_are_named(chart: str) -> None:
    """Forty colors are indistinguishable, and their names would not fit."""
    rows = tuple((f"recipe-{number}", 8 - number / 10, 0.001 * 1.2**number, 0.1, 100.0) for number in range(40))
    tested = CHARTS[chart](study(rows))
    texts = [text for text, _ in _texts(tested.draw(760, tested.least_height(Style()), Style()), Style())]
    assert {"closest: recipe-0", "farthest of 40: recipe-39"} <= set(texts)
    assert not any("recipe-7" in text for text in texts)


def test_a_kind_of_one_chunk_has_no_error_bar() -> None:
    """The text below the chart mentions it, since others have one."""
    base = study(FEW)
    one_chunk = msgspec.structs.replace(base.rows[1].fidelity[0].fidelity, chunks=1, mean_kl_se=None)
    result = msgspec.structs.replace(base.rows[1].fidelity[0], by_kind={"prose": one_chunk, "code": one_chunk})
    row = msgspec.structs.replace(base.rows[1], fidelity=(result,))
    assert "only one chunk" in kinds(msgspec.structs.replace(base, rows=(base.original, row)), MEAN_KL).reading
    assert "only one chunk" not in kinds(base, MEAN_KL).reading
