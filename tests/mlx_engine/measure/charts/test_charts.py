"""What holds of all charts: nothing is cut off, no words lie over others, and a file can be made of each."""

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
    "memory": lambda found: pareto(found, PEAK_MEMORY, PERPLEXITY, memory_bytes=200_000_000),
    "speed": lambda found: pareto(found, DECODE_SPEED, TOP1_DISAGREEMENT),
    "bars": lambda found: bars(found, MEAN_KL),
    "bars of speed": lambda found: bars(found, DECODE_SPEED),
    "kinds": lambda found: kinds(found, MEAN_KL),
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


def _words(scene: Scene, style: Style) -> list[tuple[str, Area]]:
    return [(item.text, style.area(item)) for item in scene.items if isinstance(item, TextItem)]


def _check(scene: Scene, style: Style) -> None:
    words = _words(scene, style)
    room = Area(-1, -1, scene.width + 2, scene.height + 2)
    assert [text for text, area in words if not room.holds(area)] == []
    # Lines of text have air above and below their letters, which may be shared.
    tight = [
        (text, Area(area.left, area.top + area.height * 0.2, area.width, area.height * 0.6)) for text, area in words
    ]
    assert [(one[0], other[0]) for one, other in combinations(tight, 2) if one[1].overlaps(other[1])] == []


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("rows", STUDIES)
@pytest.mark.parametrize(("size", "width"), [(12.0, 760), (12.0, 340), (24.0, 760), (24.0, 560)])
def test_no_words_are_cut_off_or_lie_over_others(chart: str, rows: str, size: float, width: int) -> None:
    """At 100 % and at 200 %, in wide windows and narrow ones, for few and many, short and long names."""
    style, made = Style(size), CHARTS[chart](study(STUDIES[rows]))
    _check(made.draw(width, max(460, made.least_height(style)), style), style)


@pytest.mark.parametrize("chart", CHARTS)
def test_each_mark_can_be_pointed_at_within_the_picture(chart: str) -> None:
    """Its words and its row are told."""
    scene = CHARTS[chart](study()).draw(760, 600, Style())
    assert {target.label for target in scene.targets} >= {row.label for row in study().candidates}
    assert len({target.key for target in scene.targets}) == len(scene.targets)
    assert all(target.text for target in scene.targets)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_without_results_says_so(chart: str) -> None:
    """A study that has just begun, and one in which nothing can be shown."""
    planned = study(FEW)
    rows = tuple(msgspec.structs.replace(row, fidelity=(), speed=None) for row in planned.rows)
    scene = CHARTS[chart](msgspec.structs.replace(planned, rows=rows)).draw(500, 300, Style())
    assert _words(scene, Style())
    assert not scene.targets


@pytest.mark.parametrize("chart", CHARTS)
def test_a_file_is_svg_with_the_title_and_how_it_was_measured(chart: str) -> None:
    """It stands alone: names in it cannot break it."""
    found = study((("<b>&\"'\x07", 4.0, 0.1, 0.1, 100.0), *FEW))
    made = CHARTS[chart](found)
    tree = ET.fromstring(chart_svg(made))  # noqa: S314 - our own
    texts = [element.text or "" for element in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == made.title
    assert "".join(caption(made).split()) in "".join("".join(texts).split())
    assert any("<b>&\"'" in text for text in texts)
    _check(page(made), Style(14.0))


def test_results_without_counts_have_no_curve() -> None:
    """Those that an earlier version has kept."""
    found = study(FEW)
    old = [
        msgspec.structs.replace(row, fidelity=tuple(msgspec.structs.replace(one, kl_counts=()) for one in row.fidelity))
        for row in found.candidates[:2]
    ]
    assert len(distribution(msgspec.structs.replace(found, rows=(found.original, *old, found.rows[3]))).curves) == 1


def test_a_figure_does_not_lie_on_the_line_of_the_original() -> None:
    """That of a bar which ends just before the line stands behind it."""
    rows = (("fast", 4.5, 0.04, 0.1, 200.0), ("slow", 3.0, 0.4, 0.3, 80.0))
    style = Style()
    scene = bars(study(rows), DECODE_SPEED).draw(500, 300, style)
    line = next(item for item in scene.items if isinstance(item, LineItem) and item.dash)
    found = dict(_words(scene, style))
    assert found["80.0"].left > line.points[0].x


def test_bars_stand_in_order_the_best_first() -> None:
    """Less divergence is better, and more speed."""
    assert [bar.name for bar in bars(study(FEW), MEAN_KL).bars] == ["8-bit", "4-bit", "2-bit"]
    assert [bar.name for bar in bars(study(FEW), DECODE_SPEED).bars] == ["2-bit", "4-bit", "8-bit"]


def test_the_caption_warns_of_a_stand_in() -> None:
    found = study(FEW)
    rows = [
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(one, is_stand_in=True) for one in row.fidelity)
        )
        for row in found.candidates
    ]
    assert "lower bound" in caption(pareto(msgspec.structs.replace(found, rows=(found.original, *rows))))


@pytest.mark.parametrize("chart", ["kinds", "distribution"])
def test_of_many_only_the_ends_are_named(chart: str) -> None:
    """Forty colours cannot be told apart, and their names would leave no room for what they mean."""
    rows = tuple((f"recipe-{number}", 8 - number / 10, 0.001 * 1.2**number, 0.1, 100.0) for number in range(40))
    made = CHARTS[chart](study(rows))
    texts = [text for text, _ in _words(made.draw(760, made.least_height(Style()), Style()), Style())]
    assert {"closest: recipe-0", "farthest of 40: recipe-39"} <= set(texts)
    assert not any("recipe-7" in text for text in texts)


def test_a_kind_of_one_chunk_has_no_error_bar() -> None:
    """Which is said, since the others have one."""
    found = study(FEW)
    one = msgspec.structs.replace(found.rows[1].fidelity[0].fidelity, chunks=1, mean_kl_se=None)
    result = msgspec.structs.replace(found.rows[1].fidelity[0], by_kind={"prose": one, "code": one})
    row = msgspec.structs.replace(found.rows[1], fidelity=(result,))
    assert "only one chunk" in kinds(msgspec.structs.replace(found, rows=(found.original, row)), MEAN_KL).reading
    assert "only one chunk" not in kinds(found, MEAN_KL).reading
