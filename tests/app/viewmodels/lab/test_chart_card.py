"""Tooltips for models in a chart."""

from app.viewmodels.lab.chart_card import cards
from mlx_engine.measure.figures.figures import CHART_FIGURES
from tests.mlx_engine.measure.charts.studies import FEW, study


def test_a_card_has_all_figures_and_the_verdict() -> None:
    original, _, four, _ = cards(study(FEW)).values()
    assert [name for name, _ in four.lines] == [figure.title for figure in CHART_FIGURES]
    assert dict(four.lines)["Size"] == "75.7 MB"
    assert four.verdict == "About 14 of 100 next words differ from the original; close."
    assert original.verdict == ""
