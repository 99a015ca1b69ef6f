"""A picture as values: lines, boxes, discs and words, which a window paints and a file keeps.

Lengths are pixels at 100 %, y grows downwards. A colour is the name of a role, or "#rrggbb" where data decides it.
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
class Line:
    """A line through `points`; `dash` is the length of strokes and of gaps, 0 for none."""

    points: tuple[Point, ...]
    ink: Ink
    width: float = 1.0
    dash: float = 0.0


@dataclass(frozen=True, slots=True)
class Disc:
    middle: Point
    radius: float
    fill: Ink
    border: Ink
    width: float = 1.5


@dataclass(frozen=True, slots=True)
class Box:
    area: Area
    fill: Ink
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `at` is on its base line, where `anchor` says."""

    at: Point
    text: str
    size: float
    ink: Ink = "text"
    anchor: Anchor = "start"
    bold: bool = False


Item = Line | Disc | Box | Words


@dataclass(frozen=True, slots=True)
class Target:
    """A place that stands for a row of the study: a pointer over `area` means it, and `words` tell what is there."""

    key: str
    area: Area
    words: str
    label: str = ""
    """Of the row of the study."""
    sample: str = ""
    """The key of what was measured: a row in one precision of its context. Several targets may be of one."""
    name: str = ""
    """Of what stands there, short."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn, in this order, and what can be pointed at."""

    width: float
    height: float
    items: tuple[Item, ...]
    targets: tuple[Target, ...] = ()


def moved(item: Item, by: Point) -> Item:
    """Return `item` so much further to the right and down."""

    def place(point: Point) -> Point:
        return Point(point.x + by.x, point.y + by.y)

    match item:
        case Line():
            return replace(item, points=tuple(map(place, item.points)))
        case Disc():
            return replace(item, middle=place(item.middle))
        case Box():
            return replace(item, area=moved_area(item.area, by))
        case Words():
            return replace(item, at=place(item.at))


def moved_area(area: Area, by: Point) -> Area:
    return Area(area.left + by.x, area.top + by.y, area.width, area.height)
