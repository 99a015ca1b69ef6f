"""Under which conditions a speed was measured: power, heat, and what else the machine was doing."""

import os
import platform
import re
import subprocess

import msgspec
import psutil


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted with a run of measurements; "unknown" where the system does not tell."""

    power: str = "unknown"
    """ "mains", "battery"."""
    thermal: str = "unknown"
    """ "nominal", or how far the processor is slowed down: "limited to 80 %"."""
    other_load: float = 0.0
    """How many processors others kept busy on average during the last minute before the run."""
    processors: int = 0

    @property
    def in_words(self) -> str:
        """A line for a report."""
        return (
            f"power: {self.power}; heat: {self.thermal}; other load: {self.other_load:.1f} of {self.processors} cores"
        )


def present_conditions() -> Conditions:
    """Return the conditions at this moment; call it before the work begins."""
    is_mac = platform.system() == "Darwin"
    return Conditions(
        power=power(_answer("batt")) if is_mac else "unknown",
        thermal=thermal(_answer("therm")) if is_mac else "unknown",
        other_load=round(os.getloadavg()[0], 2),
        processors=psutil.cpu_count() or 0,
    )


def power(told: str) -> str:
    """Return the source of power that `pmset -g batt` tells of."""
    found = re.search(r"drawing from '(AC|Battery) Power'", told)
    return "unknown" if found is None else {"AC": "mains", "Battery": "battery"}[found[1]]


def thermal(told: str) -> str:
    """Return the thermal state that `pmset -g therm` tells of."""
    if "No thermal warning level has been recorded" in told:
        return "nominal"
    found = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", told)
    if found is None:
        return "unknown"
    return "nominal" if found[1] == "100" else f"limited to {found[1]} %"


def _answer(question: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["/usr/bin/pmset", "-g", question], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
