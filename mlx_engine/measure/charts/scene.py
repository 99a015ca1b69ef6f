"""A drawing as values: lines, boxes, discs and text, to paint in a window or write to a file.

Lengths are pixels at 100%, y grows downward. A color is the name of a role, or "#rrggbb" where data decides it.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Ink = str
Anchor = Literal["start", "middle", "end"]


class Point(NamedTuple):
    x: float
    y: float


class Area(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> Point:
        return Point(self.left + self.width / 2, self.top + self.height / 2)

    def overlaps(self, other: "Area") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: "Area") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def grown(self, by: float) -> "Area":
        return Area(self.left - by, self.top - by, self.width + 2 * by, self.height + 2 * by)

    def nearest(self, point: Point) -> Point:
        """Return the point of this area that is nearest to `point`."""
        return Point(min(max(point.x, self.left), self.right), min(max(point.y, self.top), self.bottom))


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line through `points`; `dash` is the length of strokes and of gaps, 0 for none."""

    points: tuple[Point, ...]
    ink: Ink
    width: float = 1.0
    dash: float = 0.0


@dataclass(frozen=True, slots=True)
class DiscItem:
    middle: Point
    radius: float
    fill: Ink
    border: Ink
    width: float = 1.5


@dataclass(frozen=True, slots=True)
class BoxItem:
    area: Area
    fill: Ink
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class TextItem:
    """One line of text; `at` is on its baseline, at the end that `anchor` names."""

    at: Point
    text: str
    size: float
    ink: Ink = "text"
    anchor: Anchor = "start"
    bold: bool = False


Item = LineItem | DiscItem | BoxItem | TextItem


@dataclass(frozen=True, slots=True)
class HoverTarget:
    """An area that belongs to a row of the study, with the tooltip `text`."""

    key: str
    area: Area
    text: str
    label: str = ""
    """Of the row."""
    sample: str = ""
    """Key of the sample; several targets may share it."""
    name: str = ""
    """Short name of the sample."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Items in the order in which they are drawn, and areas with tooltips."""

    width: float
    height: float
    items: tuple[Item, ...]
    targets: tuple[HoverTarget, ...] = ()


def moved(item: Item, by: Point) -> Item:
    """Return `item` moved to the right and down."""

    def place(point: Point) -> Point:
        return Point(point.x + by.x, point.y + by.y)

    match item:
        case LineItem():
            return replace(item, points=tuple(map(place, item.points)))
        case DiscItem():
            return replace(item, middle=place(item.middle))
        case BoxItem():
            return replace(item, area=moved_area(item.area, by))
        case TextItem():
            return replace(item, at=place(item.at))


def moved_area(area: Area, by: Point) -> Area:
    return Area(area.left + by.x, area.top + by.y, area.width, area.height)
