"""Behaviour of noting the conditions of a measurement."""

import pytest

from mlx_engine.measure.conditions import Watch, power, thermal


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ("Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t100%; charged;", "mains"),
        ("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t76%; discharging;", "battery"),
        ("", "unknown"),
    ],
)
def test_the_source_of_power_is_read(told: str, source: str) -> None:
    """What the system says in its own words."""
    assert power(told) == source


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("Note: No thermal warning level has been recorded\n", "nominal"),
        ("CPU_Scheduler_Limit \t= 100\nCPU_Available_CPUs \t= 8\nCPU_Speed_Limit \t= 80\n", "limited to 80 %"),
        ("CPU_Speed_Limit \t= 100\n", "nominal"),
        ("", "unknown"),
    ],
)
def test_the_heat_is_read(told: str, state: str) -> None:
    """A processor that is slowed down says by how much."""
    assert thermal(told) == state


def test_the_machine_is_watched() -> None:
    """It has processors, and what this process does itself is no other load."""
    watch = Watch()
    sum(number * number for number in range(3_000_000))
    conditions = watch.conditions()
    assert conditions.processors > 0
    assert 0 <= conditions.other_load <= conditions.processors
