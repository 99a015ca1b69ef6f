"""Placing names next to points."""

import math
import random
from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.measure.charts.labels import Named, Placed, crosses, place
from mlx_engine.measure.charts.scene import Area, Point

ROOM = Area(0, 0, 640, 400)
_point = st.builds(
    Named,
    st.builds(Point, st.floats(0, 640), st.floats(0, 400)),
    st.just(5.0),
    st.floats(10, 150),
    st.just(16.0),
)
_points = st.lists(_point, min_size=3, max_size=25)


def _check(places: list[Placed | None]) -> None:
    areas = [placed.area for placed in places if placed]
    assert all(ROOM.holds(area) for area in areas)
    assert not any(first.overlaps(second) for first, second in combinations(areas, 2))


@given(_points)
def test_names_neither_overlap_nor_are_cut_off(points: list[Named]) -> None:
    """For any points."""
    _check(place(points, ROOM))


@given(st.lists(_point, min_size=1, max_size=3))
def test_a_few_points_are_all_named(points: list[Named]) -> None:
    """Even if they coincide, away from the corners."""
    inner = [replace(named, at=ROOM.grown(-60).nearest(named.at)) for named in points]
    assert None not in place(inner, ROOM)


def test_names_of_coinciding_points_have_leaders() -> None:
    """A name that does not fit next to its mark gets a line, or none if that would be too long."""
    places = place([Named(Point(320, 200), 5, 90, 16)] * 25, ROOM)
    _check(places)
    named = [placed for placed in places if placed]
    assert 8 <= len(named) < 25
    assert sum(bool(placed.leader) for placed in named) >= 4
    assert all(math.dist(*placed.leader) < 120 for placed in named if placed.leader)


def test_less_important_names_are_left_out_first() -> None:
    """Their names may cost less."""
    points = [Named(Point(320, 200), 5, 90, 16, worst=20.0)] * 25
    assert place(points, ROOM).count(None) > place([Named(Point(320, 200), 5, 90, 16)] * 25, ROOM).count(None)


def test_placement_is_deterministic() -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    points = [Named(Point(draw.uniform(0, 640), draw.uniform(0, 400)), 5, 80, 16) for _ in range(15)]
    assert place(points, ROOM) == place(points, ROOM)


def test_a_single_name_is_next_to_its_point() -> None:
    (placed,) = place([Named(Point(100, 100), 5, 60, 16)], ROOM)
    assert placed
    assert placed.leader is None
    assert placed.area.left - 100 == 12


def test_a_name_without_space_is_left_out() -> None:
    """It is still in the tooltip."""
    small = Area(0, 0, 60, 20)
    first, second = place([Named(Point(5, 10), 4, 40, 16), Named(Point(20, 10), 4, 40, 16)], small)
    assert (first is None, second is None) == (False, True)


def test_names_avoid_occupied_areas_and_lines() -> None:
    occupied, line = Area(100, 80, 200, 40), (Point(60, 100), Point(60, 0))
    (placed,) = place([Named(Point(90, 100), 5, 60, 16)], ROOM, lines=[line], occupied=[occupied])
    assert placed
    assert not placed.area.overlaps(occupied)
    assert not crosses(line, placed.area)
