"""Places for the names of points: beside them where there is room, or else further away with a line that leads there.

The same points and sizes always give the same places.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.scene import Area, Point

_NEAR = 1.4
"""Radii between a mark and a name beside it: room for the ring around one that is selected."""
_RINGS = 7
"""Circles on which further places are looked for, each most of a line of text around the one before."""
_AIR = 3.0
"""Pixels around a mark that its own name alone may touch, so that no name seems to be another's."""
_APART = 7.0
"""Pixels between two names in a line, which else would be read as one."""
_MARK, _LINE, _LEADER = 100.0, 14.0, 120.0
"""What it costs, in pixels of distance, to cover a mark, a line, or to lead across another name."""
_MOST = 60
"""So many names are placed at most: nobody could read more of them."""
WORST = 150.0
"""A name that would cost more is left out: nobody could tell what it belongs to."""


@dataclass(frozen=True, slots=True)
class Named:
    """A point that wants a name of that width and height; `radius` is that of its mark.

    The name is left out where it would cost more than `worst`.
    """

    at: Point
    radius: float
    width: float
    height: float
    worst: float = WORST


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a name stands, and the line that leads there from its mark, if it needs one."""

    area: Area
    leader: tuple[Point, Point] | None


@dataclass(frozen=True, slots=True)
class _Obstacles:
    names: list[Placed]
    marks: Sequence[Area]
    lines: Sequence[tuple[Point, Point]]

    def near(self, named: Named) -> "_Obstacles":
        """Return those that any place of `named` could meet."""
        reach = _gap(named) + _RINGS * named.height
        across, along = reach + named.height, reach + named.width
        zone = Area(named.at.x - along, named.at.y - across, 2 * along, 2 * across)
        return _Obstacles(
            [name for name in self.names if zone.overlaps(name.area) or (name.leader and crosses(name.leader, zone))],
            [mark for mark in self.marks if zone.overlaps(mark)],
            [line for line in self.lines if crosses(line, zone)],
        )


def place(
    points: Sequence[Named], room: Area, *, lines: Sequence[tuple[Point, Point]] = (), taken: Sequence[Area] = ()
) -> list[Placed | None]:
    """Return a place within `room` for each name, none over another or over what is `taken`.

    None stands for a name that has no place from which it is clear what it belongs to.
    `points` come first that matter most. `lines` are better not covered.
    """
    marks = [Area(named.at.x, named.at.y, 0, 0).grown(named.radius + _AIR) for named in points]
    obstacles = _Obstacles([Placed(area, None) for area in taken], marks, lines)
    found: list[Placed | None] = []
    for named in points[:_MOST]:
        best = _best(named, room, obstacles.near(named))
        found.append(best)
        if best:
            obstacles.names.append(best)
    return found + [None] * (len(points) - len(found))


def _best(named: Named, room: Area, obstacles: _Obstacles) -> Placed | None:
    least, best = named.worst, None
    for distance, placed in _places(named):
        if distance >= least:
            break
        if not room.holds(placed.area) or _is_taken(placed.area, obstacles):
            continue
        cost = distance
        for more in _costs(placed, named, obstacles):
            cost += more
            if cost >= least:
                break
        else:
            least, best = cost, placed
    return best


def _places(named: Named) -> Iterator[tuple[float, Placed]]:
    """Yield places with their distance, the nearest first; at the same distance the right before the left."""
    gap = _gap(named)
    for rank, (x, y) in enumerate(((1, 0), (1, -1), (1, 1), (-1, 0), (-1, -1), (-1, 1), (0, -1), (0, 1))):
        reach = gap if 0 in (x, y) else gap * 0.6
        yield rank * 0.5, Placed(_beside(named, reach, x, y), None)
    step = named.height * 0.8
    for ring in range(1, _RINGS + 1):
        reach = gap + ring * step
        for turn in range(16):
            angle = math.radians(22.5 * turn)
            yield ring * step + turn * 0.1, _led(named, _beside(named, reach, math.cos(angle), -math.sin(angle)))


def _gap(named: Named) -> float:
    """Return how far from its point a name begins."""
    return named.radius * (1 + _NEAR)


def _beside(named: Named, reach: float, x: float, y: float) -> Area:
    """Return the place in the direction `x`, `y`: its nearest side or corner is `reach` of them away from the point."""
    left = named.at.x + x * reach - named.width * (1 - _sign(x)) / 2
    return Area(left, named.at.y + y * reach - named.height * (1 - y) / 2, named.width, named.height)


def _sign(value: float) -> int:
    return 0 if abs(value) < 1e-6 else 1 if value > 0 else -1


def _led(named: Named, area: Area) -> Placed:
    end = area.nearest(named.at)
    length = math.dist(named.at, end) or 1.0
    share = min(named.radius / length, 1.0)
    start = Point(named.at.x + (end.x - named.at.x) * share, named.at.y + (end.y - named.at.y) * share)
    return Placed(area, (start, end))


def _costs(placed: Placed, named: Named, obstacles: _Obstacles) -> Iterator[float]:
    """Yield what `placed` costs besides its distance, one thing after another."""
    own = Area(named.at.x, named.at.y, 0, 0).grown(named.radius + _AIR)
    yield _MARK * placed.area.overlaps(own.grown(-_AIR))
    yield from (_MARK for mark in obstacles.marks if placed.area.overlaps(mark) and mark != own)
    yield from (_LINE for line in obstacles.lines if crosses(line, placed.area))
    leaders = [other.leader for other in obstacles.names if other.leader]
    yield from (_LEADER for leader in leaders if crosses(leader, placed.area))
    if placed.leader:
        yield from (_LEADER for other in obstacles.names if crosses(placed.leader, other.area))
        yield from (_LEADER for leader in leaders if _meet(placed.leader, leader))
        for mark in obstacles.marks:
            yield _LINE * (not _holds(mark, named.at) and crosses(placed.leader, mark))


def _holds(area: Area, point: Point) -> bool:
    return area.left <= point.x <= area.right and area.top <= point.y <= area.bottom


def _is_taken(area: Area, obstacles: _Obstacles) -> bool:
    with_air = Area(area.left - _APART, area.top, area.width + 2 * _APART, area.height)
    return any(with_air.overlaps(other.area) for other in obstacles.names)


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Return whether two lines cross each other."""
    return all(_side(*line, start) != _side(*line, end) for line, (start, end) in ((one, other), (other, one)))


def _side(start: Point, end: Point, point: Point) -> bool:
    return (end.x - start.x) * (point.y - start.y) > (end.y - start.y) * (point.x - start.x)


def crosses(line: tuple[Point, Point], area: Area) -> bool:
    """Return whether any of `line` lies within `area` (clipped as by Liang and Barsky)."""
    (start, end), low, high = line, 0.0, 1.0
    for begin, delta, least, most in (
        (start.x, end.x - start.x, area.left, area.right),
        (start.y, end.y - start.y, area.top, area.bottom),
    ):
        if delta == 0:
            if not least < begin < most:
                return False
            continue
        first, last = sorted(((least - begin) / delta, (most - begin) / delta))
        low, high = max(low, first), min(high, last)
    return low < high
