"""Places for the labels of points: next to them if there is room, or farther away with a leader line.

The same points and sizes always give the same places.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.scene import Area, Point

_NEAR = 1.4
"""Radii between a mark and its name: room for the ring around a selected mark."""
_RINGS = 7
"""Circles on which farther places are tried, most of a line of text apart."""
_AIR = 3.0
"""Pixels around a mark that only its own name may touch, so that no name seems to belong to another mark."""
_APART = 7.0
"""Pixels between two names in a line, which would otherwise read as one."""
_MARK, _LINE, _LEADER = 100.0, 14.0, 120.0
"""Costs, in pixels of distance, of covering a mark or a line, and of a leader across another name."""
_MOST = 60
"""Largest number of names; more would not be readable."""
WORST = 150.0
"""A name at a higher cost is left out: its mark would not be clear."""


@dataclass(frozen=True, slots=True)
class Named:
    """A point with a name of `width` and `height`; `radius` is that of its mark.

    The name is left out if it would cost more than `worst`.
    """

    at: Point
    radius: float
    width: float
    height: float
    worst: float = WORST


@dataclass(frozen=True, slots=True)
class Placed:
    """The place of a name, and its leader line from the mark, if it needs one."""

    area: Area
    leader: tuple[Point, Point] | None


@dataclass(frozen=True, slots=True)
class _Obstacles:
    names: list[Placed]
    marks: Sequence[Area]
    lines: Sequence[tuple[Point, Point]]

    def near(self, named: Named) -> "_Obstacles":
        """Return the obstacles that any place of `named` could touch."""
        reach = _gap(named) + _RINGS * named.height
        across, along = reach + named.height, reach + named.width
        zone = Area(named.at.x - along, named.at.y - across, 2 * along, 2 * across)
        return _Obstacles(
            [name for name in self.names if zone.overlaps(name.area) or (name.leader and crosses(name.leader, zone))],
            [mark for mark in self.marks if zone.overlaps(mark)],
            [line for line in self.lines if crosses(line, zone)],
        )


def place(
    points: Sequence[Named], bounds: Area, *, lines: Sequence[tuple[Point, Point]] = (), occupied: Sequence[Area] = ()
) -> list[Placed | None]:
    """Return a place within `bounds` for each name, not overlapping another name or the `occupied` areas.

    A name is None if it has no place that makes its mark clear. The most important `points` come first; covering one
    of `lines` has a cost.
    """
    marks = [Area(named.at.x, named.at.y, 0, 0).grown(named.radius + _AIR) for named in points]
    obstacles = _Obstacles([Placed(area, None) for area in occupied], marks, lines)
    placements: list[Placed | None] = []
    for named in points[:_MOST]:
        best = _best(named, bounds, obstacles.near(named))
        placements.append(best)
        if best:
            obstacles.names.append(best)
    return placements + [None] * (len(points) - len(placements))


def _best(named: Named, bounds: Area, obstacles: _Obstacles) -> Placed | None:
    least, best = named.worst, None
    for distance, placed in _places(named):
        if distance >= least:
            break
        if not bounds.holds(placed.area) or _is_occupied(placed.area, obstacles):
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
        yield rank * 0.5, Placed(_area_toward(named, reach, x, y), None)
    step = named.height * 0.8
    for ring in range(1, _RINGS + 1):
        reach = gap + ring * step
        for turn in range(16):
            angle = math.radians(22.5 * turn)
            yield ring * step + turn * 0.1, _led(named, _area_toward(named, reach, math.cos(angle), -math.sin(angle)))


def _gap(named: Named) -> float:
    """Return the distance from a point to its name."""
    return named.radius * (1 + _NEAR)


def _area_toward(named: Named, reach: float, x: float, y: float) -> Area:
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
    """Yield the costs of `placed` on top of its distance."""
    own_mark = Area(named.at.x, named.at.y, 0, 0).grown(named.radius + _AIR)
    yield _MARK * placed.area.overlaps(own_mark.grown(-_AIR))
    yield from (_MARK for mark in obstacles.marks if placed.area.overlaps(mark) and mark != own_mark)
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


def _is_occupied(area: Area, obstacles: _Obstacles) -> bool:
    with_air = Area(area.left - _APART, area.top, area.width + 2 * _APART, area.height)
    return any(with_air.overlaps(other.area) for other in obstacles.names)


def _meet(line: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Return whether two lines cross."""
    return all(
        _side(*through, start) != _side(*through, end) for through, (start, end) in ((line, other), (other, line))
    )


def _side(start: Point, end: Point, point: Point) -> bool:
    return (end.x - start.x) * (point.y - start.y) > (end.y - start.y) * (point.x - start.x)


def crosses(line: tuple[Point, Point], area: Area) -> bool:
    """Return whether `line` crosses `area` (Liang-Barsky clipping)."""
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
