from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.column import Column

GAP = 7


@given(st.lists(st.integers(0, 500), min_size=1), st.data())
def test_tops_follow_the_heights(heights: list[int], data: st.DataObject) -> None:
    """Whatever heights are given in whatever order, every item begins below the one before."""
    column = Column(GAP)
    for _ in heights:
        column.append(10)
    for number in data.draw(st.permutations(range(len(heights)))):
        column.set_height(number, heights[number])
    assert [column.top(n) for n in range(len(heights))] == [sum(heights[:n]) + n * GAP for n in range(len(heights))]
    assert column.total() == sum(heights) + (len(heights) - 1) * GAP


@given(st.lists(st.integers(1, 500), min_size=1), st.integers(-10, 5000))
def test_a_place_belongs_to_an_item(heights: list[int], y: int) -> None:
    """The item found is the last that begins above, or the first."""
    column = Column(GAP)
    for height in heights:
        column.append(height)
    found = column.at(y)
    assert found == 0 or column.top(found) <= y
    assert found == len(heights) - 1 or y < column.top(found + 1)
