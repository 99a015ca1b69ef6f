from hypothesis import given
from hypothesis import strategies as st

from app.views.transcript.row_offsets import RowOffsets

GAP = 7


@given(st.lists(st.integers(0, 500), min_size=1), st.data())
def test_tops_add_up_the_heights_above(heights: list[int], data: st.DataObject) -> None:
    """After heights change in any order, each row starts below the previous one."""
    offsets = RowOffsets(GAP)
    for _ in heights:
        offsets.append(10)
    for number in data.draw(st.permutations(range(len(heights)))):
        offsets.set_height(number, heights[number])
    assert [offsets.top(n) for n in range(len(heights))] == [sum(heights[:n]) + n * GAP for n in range(len(heights))]
    assert offsets.total() == sum(heights) + (len(heights) - 1) * GAP


@given(st.lists(st.integers(1, 500), min_size=1), st.integers(-10, 5000))
def test_a_position_belongs_to_a_row(heights: list[int], y: int) -> None:
    """The row at a position is the last one that starts above it, or the first."""
    offsets = RowOffsets(GAP)
    for height in heights:
        offsets.append(height)
    row = offsets.at(y)
    assert row == 0 or offsets.top(row) <= y
    assert row == len(heights) - 1 or y < offsets.top(row + 1)
