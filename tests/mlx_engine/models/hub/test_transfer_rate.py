from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.models.hub.transfer_rate import TransferRate

STEP_S = 0.2


def smoothed(rates: list[float], *, step_s: float = STEP_S) -> list[TransferRate]:
    """Return the smoothed rate after each step; `rates` has the bytes per second of each step."""
    steps = [TransferRate(0.0, 0)]
    for rate in rates:
        steps.append(steps[-1].after(steps[-1].at_s + step_s, steps[-1].done_bytes + int(rate * step_s)))
    return steps


@given(st.integers(1_000, 10**10), st.sampled_from([0.05, 0.2, 1.0, 5.0]))
def test_a_constant_rate_is_not_changed(bytes_per_s: int, step_s: float) -> None:
    """This holds from the first step, and for any interval."""
    for rate in smoothed([bytes_per_s] * 20, step_s=step_s)[1:]:
        assert rate.bytes_per_s == pytest.approx(bytes_per_s, rel=0.05)


def test_the_remaining_time_is_steady_on_an_unsteady_connection() -> None:
    """If steps of 0.2 s alternate between full speed and nothing, no step changes it by more than a seventh."""
    total = 1_000_000_000
    estimates = [rate.remaining_s(total) for rate in smoothed([2e6, 0.0] * 200)]
    times = [seconds for seconds in estimates if seconds is not None]
    assert all(later / earlier == pytest.approx(1, abs=1 / 7) for earlier, later in pairwise(times))


def test_the_remaining_time_is_not_estimated_at_once() -> None:
    """It is unknown for the first two seconds, and while nothing arrives."""
    first = smoothed([1e6] * 15)
    assert first[9].remaining_s(10**9) is None
    assert first[11].remaining_s(10**9) is not None
    assert smoothed([0.0] * 50)[-1].remaining_s(10**9) is None


def test_the_rate_adapts_to_a_slower_connection_within_15_seconds() -> None:
    """The connection drops from 10 MB/s to 1 MB/s."""
    assert smoothed([1e7] * 100 + [1e6] * 75)[-1].bytes_per_s < 2e6


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_the_rate_stays_between_the_slowest_and_the_fastest(rates: list[int]) -> None:
    """It is never negative, even if bytes are lost."""
    for rate in smoothed([float(sample) for sample in rates])[1:]:
        assert min(rates) * 0.999 - 5 <= rate.bytes_per_s <= max(rates) * 1.001 + 5
    lost = smoothed([1e6] * 5)[-1].after(2.0, 0)
    assert lost.bytes_per_s >= 0


def test_a_second_sample_at_the_same_time_is_ignored() -> None:
    """A rate needs an interval."""
    rate = smoothed([1e6] * 5)[-1]
    assert rate.after(rate.at_s, rate.done_bytes + 10) is rate
