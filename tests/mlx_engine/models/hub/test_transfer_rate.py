from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.models.hub.transfer_rate import TransferRate

STEP_S = 0.2


def paces(rates: list[float], *, step_s: float = STEP_S) -> list[TransferRate]:
    """Return the pace after each step, with so many bytes a second in each."""
    steps = [TransferRate(0.0, 0)]
    for rate in rates:
        steps.append(steps[-1].after(steps[-1].at_s + step_s, steps[-1].done_bytes + int(rate * step_s)))
    return steps


@given(st.integers(1_000, 10**10), st.sampled_from([0.05, 0.2, 1.0, 5.0]))
def test_an_even_rate_is_shown_as_it_is(rate: int, step_s: float) -> None:
    """From the first step on, and however often it is looked at."""
    for pace in paces([rate] * 20, step_s=step_s)[1:]:
        assert pace.bytes_per_s == pytest.approx(rate, rel=0.05)


def test_the_time_left_does_not_jump_with_a_jumping_rate() -> None:
    """A line that gives all or nothing from one fifth of a second to the next: no step changes it by a seventh."""
    total = 1_000_000_000
    seen = [pace.remaining_s(total) for pace in paces([2e6, 0.0] * 200)]
    known = [seconds for seconds in seen if seconds is not None]
    assert all(later / earlier == pytest.approx(1, abs=1 / 7) for earlier, later in pairwise(known))


def test_the_time_left_is_not_guessed_at_once() -> None:
    """For the first two seconds, and while nothing arrives, nobody can tell."""
    first = paces([1e6] * 15)
    assert first[9].remaining_s(10**9) is None
    assert first[11].remaining_s(10**9) is not None
    assert paces([0.0] * 50)[-1].remaining_s(10**9) is None


def test_a_slower_line_is_believed_within_a_quarter_of_a_minute() -> None:
    """From ten megabytes a second to one."""
    assert paces([1e7] * 100 + [1e6] * 75)[-1].bytes_per_s < 2e6


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_the_rate_stays_between_the_slowest_and_the_fastest(rates: list[int]) -> None:
    """Whatever the line does, also with bytes that are lost again."""
    for pace in paces([float(rate) for rate in rates])[1:]:
        assert min(rates) * 0.999 - 5 <= pace.bytes_per_s <= max(rates) * 1.001 + 5
    lost = paces([1e6] * 5)[-1].after(2.0, 0)
    assert lost.bytes_per_s >= 0


def test_time_that_does_not_pass_changes_nothing() -> None:
    """Two looks at the same moment."""
    pace = paces([1e6] * 5)[-1]
    assert pace.after(pace.at_s, pace.done_bytes + 10) is pace
