"""Conditions of a speed measurement: power source, thermal pressure, and other load on the machine.

They are recorded at the start and at the end. macOS has tools for power and thermal pressure that need no password; on
other systems, or if a tool is missing or its output is unexpected, they are unknown.
"""

import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import psutil

from mlx_engine.amounts import format_memory

_THERMAL_PRESSURES = ("nominal", "moderate", "heavy", "trapping", "sleeping")
"""By level: `OSThermalPressureLevel` of macOS (libkern/OSThermalNotification.h). From "heavy" on, processors are
throttled considerably. `pmset -g therm` does not report it on Apple silicon."""
_POWER_SOURCES = {"AC": "AC", "Battery": "battery", "UPS": "UPS"}


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of a run of measurements, "unknown" or None if the system does not report them."""

    power: str = "unknown"
    """ "AC", "battery", "battery, Low Power Mode"; "AC, then battery" if it changed during the run."""
    thermal: str = "unknown"
    """ "nominal", "moderate", "heavy"; "nominal, then heavy" if it changed during the run."""
    other_load: float = 0.0
    """Average number of processor cores that other processes kept busy during the run."""
    processors: int = 0
    gpu_percent: int | None = None
    """GPU utilization before the run."""
    free_memory_bytes: int | None = None
    """Before the run; less if another model was loaded."""
    swapped_bytes: int = 0
    """Growth of swap during the run."""

    @property
    def text(self) -> str:
        """A line for a report."""
        parts = [
            f"power: {self.power}",
            f"thermal pressure: {self.thermal}",
            f"other load: {self.other_load:.1f} of {self.processors} cores",
        ]
        if self.gpu_percent is not None:
            parts.append(f"GPU before: {self.gpu_percent}% busy")
        if self.free_memory_bytes is not None:
            parts.append(f"memory free before: {format_memory(self.free_memory_bytes)}")
        if self.swapped_bytes:
            parts.append(f"swap grew by {format_memory(self.swapped_bytes)}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class _Supply:
    power: str
    thermal: str


class ConditionsMonitor:
    """Records the conditions from its creation on."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self._busy_s, self._own_s = _processor_times()
        self._supply = _supply()
        self._gpu_percent = parse_gpu_percent(
            _tool_output("/usr/sbin/ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator")
        )
        self._swap_bytes = psutil.swap_memory().used
        self.free_memory_bytes: int = psutil.virtual_memory().available

    @property
    def swapped_bytes(self) -> int:
        """Growth of swap since the start."""
        return max(0, psutil.swap_memory().used - self._swap_bytes)

    def conditions(self) -> Conditions:
        """Return the conditions from the start until now. This process does not count as other load."""
        busy_s, own_s = _processor_times()
        others_s = (busy_s - self._busy_s) - (own_s - self._own_s)
        now = _supply()
        return Conditions(
            power=_course(self._supply.power, now.power),
            thermal=_course(self._supply.thermal, now.thermal),
            other_load=round(max(0.0, others_s) / max(time.monotonic() - self._start_s, 1e-3), 2),
            processors=psutil.cpu_count() or 0,
            gpu_percent=self._gpu_percent,
            free_memory_bytes=self.free_memory_bytes,
            swapped_bytes=self.swapped_bytes,
        )


def _processor_times() -> tuple[float, float]:
    """Return the busy seconds of all processors, and those of this process."""
    all_times, process = psutil.cpu_times(), psutil.Process().cpu_times()
    waiting_s = all_times.idle + getattr(all_times, "iowait", 0.0)
    # Linux includes guests in user and nice.
    guests_s = getattr(all_times, "guest", 0.0) + getattr(all_times, "guest_nice", 0.0)
    return sum(all_times) - waiting_s - guests_s, process.user + process.system


def _supply() -> _Supply:
    return _Supply(
        power=parse_power_source(_tool_output("/usr/bin/pmset", "-g", "batt"), _tool_output("/usr/bin/pmset", "-g")),
        thermal=parse_thermal_pressure(
            _tool_output("/usr/bin/notifyutil", "-g", "com.apple.system.thermalpressurelevel")
        ),
    )


def _course(before: str, after: str) -> str:
    return before if before == after else f"{before}, then {after}"


def parse_power_source(batteries: str, settings: str) -> str:
    """Return the power source and mode from the output of `pmset -g batt` and `pmset -g`."""
    match = re.search(r"drawing from '(AC|Battery|UPS) Power'", batteries)
    # Macs that also have a High Power Mode call it powermode; 1 is low power in both.
    is_saving = re.search(r"^\s*(lowpowermode|powermode)\s+1\s*$", settings, re.MULTILINE)
    source = _POWER_SOURCES[match[1]] if match else "unknown"
    return f"{source}, Low Power Mode" if is_saving else source


def parse_thermal_pressure(output: str) -> str:
    """Return the thermal pressure from the output of `notifyutil -g`: a name and a number."""
    match = re.search(r"thermalpressurelevel\s+(\d)\s*$", output)
    return _THERMAL_PRESSURES[int(match[1])] if match and int(match[1]) < len(_THERMAL_PRESSURES) else "unknown"


def parse_gpu_percent(output: str) -> int | None:
    """Return the utilization of the busiest GPU from the output of `ioreg`, None if it has none."""
    percentages = (int(percent) for percent in re.findall(r'"Device Utilization %"\s*=\s*(\d{1,3})(?!\d)', output))
    return max((percent for percent in percentages if percent <= 100), default=None)


def _tool_output(*command: str) -> str:
    return run_tool(command) if platform.system() == "Darwin" else ""


def run_tool(command: Sequence[str], *, timeout_s: float = 5) -> str:
    """Return the English output of a system tool, "" if it is missing, fails or takes too long."""
    try:
        process = subprocess.run(  # noqa: S603 - constant arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.decode(errors="replace") if process.returncode == 0 else ""
