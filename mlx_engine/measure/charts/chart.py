"""The interface of all charts of a study: title, caption, a description for screen readers, and a drawing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from mlx_engine.measure.charts.scene import Area, BoxItem, Point, Scene, TextItem, moved, moved_area
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.charts.svg import svg

PAGE_WIDTH, PAGE_HEIGHT = 960.0, 600.0
_MARGIN = 24.0
_FONTS = 0.92
"""Share of the width for lines as measured: bold letters and other fonts are wider."""


class Chart(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def reading(self) -> str:
        """Explanation of how to read it."""

    @property
    def method(self) -> str:
        """Method of measurement."""

    @property
    def description(self) -> str:
        """Its content as text."""

    def least_height(self, style: Style) -> float:
        """Return the height below which its labels would not fit."""

    def draw(self, width: float, height: float, style: Style) -> Scene:
        """Return the drawing without title and caption."""


def caption(chart: Chart) -> str:
    """Return the caption of `chart` in a document."""
    return f"{chart.reading} {chart.method}".strip()


def blank(text: str, width: float, height: float, style: Style) -> Scene:
    """Return the drawing of an empty chart, with `text` in the middle."""
    lines = style.wrapped(text, width * 0.8)
    top = height / 2 - len(lines) * style.line / 2 + style.size
    items = (
        TextItem(Point(width / 2, top + number * style.line), line, style.size, "secondary", "middle")
        for number, line in enumerate(lines)
    )
    return Scene(width, height, tuple(items))


def page(chart: Chart, style: Style | None = None) -> Scene:
    """Return `chart` for a document: with its title above and its caption below."""
    style = style or Style(size=14.0)
    width = PAGE_WIDTH - 2 * _MARGIN
    small = replace(style, size=style.size * 0.9)
    below = small.wrapped(caption(chart), width * _FONTS)
    around = 1.5 * _MARGIN + 3.8 * style.line + len(below) * small.line
    height = max(PAGE_HEIGHT - around, chart.least_height(style))
    drawn = chart.draw(width, height, style)
    by = Point(_MARGIN, _MARGIN + 2.2 * style.line)
    bottom = by.y + height + 1.6 * style.line
    whole = Area(0, 0, PAGE_WIDTH, bottom + len(below) * small.line + _MARGIN / 2)
    items = (
        BoxItem(whole, "background"),
        _title(chart.title, width, style),
        *(moved(item, by) for item in drawn.items),
        *_lines(below, Point(_MARGIN, bottom), small),
    )
    targets = (replace(target, area=moved_area(target.area, by)) for target in drawn.targets)
    return Scene(whole.width, whole.height, items, tuple(targets))


def _title(text: str, width: float, style: Style) -> TextItem:
    large = replace(style, size=style.size * 1.25)
    return TextItem(Point(_MARGIN, _MARGIN + style.size), large.elided(text, width * _FONTS), large.size, bold=True)


def _lines(lines: list[str], at: Point, style: Style) -> Iterator[TextItem]:
    for number, line in enumerate(lines):
        yield TextItem(Point(at.x, at.y + number * style.line), line, style.size, "secondary")


def chart_svg(chart: Chart) -> str:
    """Return `chart` as the text of an SVG file, light, with title and caption."""
    return svg(page(chart), title=chart.title, description=chart.description)
