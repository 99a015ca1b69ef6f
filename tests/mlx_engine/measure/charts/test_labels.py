"""Behaviour of placing names beside points."""

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
    assert not any(one.overlaps(other) for one, other in combinations(areas, 2))


@given(_points)
def test_every_name_has_its_own_place_in_the_room(points: list[Named]) -> None:
    """Wherever the points lie: none is over another, none cut off."""
    _check(place(points, ROOM))


@given(st.lists(_point, min_size=1, max_size=3))
def test_a_few_points_are_all_named(points: list[Named]) -> None:
    """Even where they lie over each other, away from the corners."""
    inner = [replace(named, at=ROOM.grown(-60).nearest(named.at)) for named in points]
    assert None not in place(inner, ROOM)


def test_points_that_lie_over_each_other_are_led_to() -> None:
    """Those that have no room beside the mark get a line from it; those for which that would be a long one, nothing."""
    places = place([Named(Point(320, 200), 5, 90, 16)] * 25, ROOM)
    _check(places)
    named = [placed for placed in places if placed]
    assert 8 <= len(named) < 25
    assert sum(bool(placed.leader) for placed in named) >= 4
    assert all(math.dist(*placed.leader) < 120 for placed in named if placed.leader)


def test_who_matters_less_is_left_out_sooner() -> None:
    """Its name may cost less."""
    points = [Named(Point(320, 200), 5, 90, 16, worst=20.0)] * 25
    assert place(points, ROOM).count(None) > place([Named(Point(320, 200), 5, 90, 16)] * 25, ROOM).count(None)


def test_the_same_points_get_the_same_places() -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    points = [Named(Point(draw.uniform(0, 640), draw.uniform(0, 400)), 5, 80, 16) for _ in range(15)]
    assert place(points, ROOM) == place(points, ROOM)


def test_a_lonely_name_stands_beside_its_point() -> None:
    (placed,) = place([Named(Point(100, 100), 5, 60, 16)], ROOM)
    assert placed
    assert placed.leader is None
    assert placed.area.left - 100 == 12


def test_where_there_is_no_room_a_name_is_left_out() -> None:
    """It is told by pointing at the mark."""
    small = Area(0, 0, 60, 20)
    first, second = place([Named(Point(5, 10), 4, 40, 16), Named(Point(20, 10), 4, 40, 16)], small)
    assert (first is None, second is None) == (False, True)


def test_names_keep_off_what_is_taken_and_off_lines() -> None:
    taken, line = Area(100, 80, 200, 40), (Point(60, 100), Point(60, 0))
    (placed,) = place([Named(Point(90, 100), 5, 60, 16)], ROOM, lines=[line], occupied=[taken])
    assert placed
    assert not placed.area.overlaps(taken)
    assert not crosses(line, placed.area)
