"""Under which conditions a speed was measured: power, heat, and what else the machine was doing.

All is asked at the beginning and at the end. macOS tells of power and heat by tools of its own, without a password;
elsewhere, and where a tool is missing or says something else, they are unknown.
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

_pressures = ("nominal", "moderate", "heavy", "trapping", "sleeping")
"""Of heat, by number: `OSThermalPressureLevel` on macOS (libkern/OSThermalNotification.h). From heavy on, processors
are slowed down a good deal. `pmset -g therm` tells nothing of it on Apple Silicon."""
_sources = {"AC": "mains", "Battery": "battery", "UPS": "UPS"}


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted with a run of measurements; "unknown" or None where the system does not tell."""

    power: str = "unknown"
    """ "mains", "battery", "battery, low-power mode"; "mains, then battery" if it has changed meanwhile."""
    thermal: str = "unknown"
    """ "nominal", "moderate", "heavy"; "nominal, then heavy" if it has changed meanwhile."""
    other_load: float = 0.0
    """How many processors others kept busy on average during the run."""
    processors: int = 0
    gpu_percent: int | None = None
    """How busy others kept the GPU before the run."""
    free_memory_bytes: int | None = None
    """What was free before the run: less if another model was loaded."""
    swapped_bytes: int = 0
    """By how much swapped memory has grown meanwhile."""

    @property
    def text(self) -> str:
        """A line for a report."""
        parts = [
            f"power: {self.power}",
            f"heat: {self.thermal}",
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
    """Looks at the machine from now on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._busy_s, self._own_s = _processor_times()
        self._supply = _supply()
        self._gpu_percent = parse_gpu_percent(
            _answer("/usr/sbin/ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator")
        )
        self._swap_bytes = psutil.swap_memory().used
        self.free_memory_bytes: int = psutil.virtual_memory().available

    @property
    def swapped_bytes(self) -> int:
        """By how much swapped memory has grown since the beginning."""
        return max(0, psutil.swap_memory().used - self._swap_bytes)

    def conditions(self) -> Conditions:
        """Return the conditions from the beginning until now. What this process did itself is no other load."""
        busy_s, own_s = _processor_times()
        others_s = (busy_s - self._busy_s) - (own_s - self._own_s)
        now = _supply()
        return Conditions(
            power=_course(self._supply.power, now.power),
            thermal=_course(self._supply.thermal, now.thermal),
            other_load=round(max(0.0, others_s) / max(time.monotonic() - self._began_s, 1e-3), 2),
            processors=psutil.cpu_count() or 0,
            gpu_percent=self._gpu_percent,
            free_memory_bytes=self.free_memory_bytes,
            swapped_bytes=self.swapped_bytes,
        )


def _processor_times() -> tuple[float, float]:
    """Return for how many seconds the processors have been busy, and how many of them for this process."""
    all_times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    waiting_s = all_times.idle + getattr(all_times, "iowait", 0.0)
    # Guests are counted in user and nice already (Linux).
    guests_s = getattr(all_times, "guest", 0.0) + getattr(all_times, "guest_nice", 0.0)
    return sum(all_times) - waiting_s - guests_s, own.user + own.system


def _supply() -> _Supply:
    return _Supply(
        power=parse_power_source(_answer("/usr/bin/pmset", "-g", "batt"), _answer("/usr/bin/pmset", "-g")),
        thermal=parse_thermal_pressure(_answer("/usr/bin/notifyutil", "-g", "com.apple.system.thermalpressurelevel")),
    )


def _course(before: str, after: str) -> str:
    return before if before == after else f"{before}, then {after}"


def parse_power_source(batteries: str, settings: str) -> str:
    """Return the source of power and whether it is saved, from what `pmset -g batt` and `pmset -g` tell."""
    found = re.search(r"drawing from '(AC|Battery|UPS) Power'", batteries)
    # Macs that have a high-power mode too call it powermode; 1 is the low one for both.
    is_saving = re.search(r"^\s*(lowpowermode|powermode)\s+1\s*$", settings, re.MULTILINE)
    source = _sources[found[1]] if found else "unknown"
    return f"{source}, low-power mode" if is_saving else source


def parse_thermal_pressure(told: str) -> str:
    """Return how far the heat slows the machine down, from what `notifyutil -g` tells: the name and a number."""
    found = re.search(r"thermalpressurelevel\s+(\d)\s*$", told)
    return _pressures[int(found[1])] if found and int(found[1]) < len(_pressures) else "unknown"


def parse_gpu_percent(told: str) -> int | None:
    """Return how busy the busiest GPU is, from what `ioreg` tells of the accelerators; None if it does not."""
    found = (int(percent) for percent in re.findall(r'"Device Utilization %"\s*=\s*(\d{1,3})(?!\d)', told))
    return max((percent for percent in found if percent <= 100), default=None)


def _answer(*command: str) -> str:
    return run_tool(command) if platform.system() == "Darwin" else ""


def run_tool(command: Sequence[str], *, timeout_s: float = 5) -> str:
    """Return what a tool of the system's says, in English; "" if it is missing, fails, or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
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
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
