"""The conditions of a measurement."""

import sys

import pytest

from mlx_engine.measure.results.conditions import (
    Conditions,
    ConditionsMonitor,
    parse_gpu_percent,
    parse_power_source,
    parse_thermal_pressure,
    run_tool,
)

_ac_power = "Now drawing from 'AC Power'\n -InternalBattery-0 (id=1)\t100%; charged;"
_battery = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t76%; discharging;"


@pytest.mark.parametrize(
    ("batteries", "settings", "source"),
    [
        (_ac_power, "Currently in use:\n lowpowermode         0\n sleep                1\n", "AC"),
        (_battery, "", "battery"),
        (_battery, "Currently in use:\n lowpowermode         1\n", "battery, Low Power Mode"),
        (_ac_power, " powermode            2\n", "AC"),
        (_ac_power, " powermode            1\n", "AC, Low Power Mode"),
        ("Now drawing from 'UPS Power'", "", "UPS"),
        ("Now drawing from 'Solar Power'", "\x00\x1b[2J", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_the_power_source_and_mode_are_parsed(batteries: str, settings: str, source: str) -> None:
    """Unexpected output is reported as unknown."""
    assert parse_power_source(batteries, settings) == source


@pytest.mark.parametrize(
    ("output", "state"),
    [
        ("com.apple.system.thermalpressurelevel 0\n", "nominal"),
        ("com.apple.system.thermalpressurelevel 2\n", "heavy"),
        ("com.apple.system.thermalpressurelevel 9\n", "unknown"),
        ("com.apple.system.thermalpressurelevel 17\n", "unknown"),
        ("Note: No thermal warning level has been recorded\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_thermal_pressure_is_parsed(output: str, state: str) -> None:
    """Output without a valid level is reported as unknown."""
    assert parse_thermal_pressure(output) == state


@pytest.mark.parametrize(
    ("output", "percent"),
    [
        ('"PerformanceStatistics" = {"Tiler Utilization %"=90,"Device Utilization %"=16,"recoveryCount"=0}', 16),
        ('{"Device Utilization %"=3} {"Device Utilization %"=41}', 41),
        ('{"Device Utilization %"=101}', None),
        ('{"Device Utilization %"=1000}', None),
        ("", None),
    ],
)
def test_the_gpu_utilization_is_parsed(output: str, percent: int | None) -> None:
    """With several GPUs, the busiest one counts."""
    assert parse_gpu_percent(output) == percent


@pytest.mark.process
@pytest.mark.parametrize(
    "program", ["raise SystemExit(1)", "import signal; signal.pause()", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_tool_that_fails_or_hangs_has_no_output(program: str) -> None:
    """The same applies to a missing tool."""
    assert run_tool([sys.executable, "-c", program], timeout_s=0.5) == ""
    assert run_tool(["/usr/bin/no-such-tool"]) == ""


@pytest.mark.process
def test_invalid_text_from_a_tool_is_replaced() -> None:
    """The valid part is kept."""
    program = "import sys; sys.stdout.buffer.write(b'\\xff\\xfe 7')"
    assert run_tool([sys.executable, "-c", program]).endswith(" 7")


def test_the_conditions_include_processors_memory_and_the_load_of_others() -> None:
    """The load by this process is not part of the other load."""
    monitor = ConditionsMonitor()
    sum(number * number for number in range(3_000_000))
    conditions = monitor.conditions()
    assert conditions.processors > 0
    assert 0 <= conditions.other_load <= conditions.processors
    assert conditions.free_memory_bytes


def test_known_conditions_are_listed_in_one_line() -> None:
    """Values that the system does not report are left out."""
    assert Conditions(processors=8).text == "power: unknown; thermal pressure: unknown; other load: 0.0 of 8 cores"
    conditions = Conditions(
        power="battery", processors=8, gpu_percent=4, free_memory_bytes=9 * 2**30, swapped_bytes=300 * 2**20
    )
    assert conditions.text.endswith("GPU before: 4% busy; memory free before: 9 GB; swap grew by 300 MB")
