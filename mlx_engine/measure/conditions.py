"""Under which conditions a speed was measured: power, heat, and what else the machine was doing."""

import platform
import re
import subprocess
import time

import msgspec
import psutil


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted with a run of measurements; "unknown" where the system does not tell."""

    power: str = "unknown"
    """ "mains", "battery"."""
    thermal: str = "unknown"
    """ "nominal", or how far the processor is slowed down: "limited to 80 %"."""
    other_load: float = 0.0
    """How many processors others kept busy on average during the run."""
    processors: int = 0

    @property
    def in_words(self) -> str:
        """A line for a report."""
        return (
            f"power: {self.power}; heat: {self.thermal}; other load: {self.other_load:.1f} of {self.processors} cores"
        )


class Watch:
    """Looks at the machine from now on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._busy_s, self._own_s = _processor_times()

    def conditions(self) -> Conditions:
        """Return the conditions since the beginning; power and heat are those of this moment, at the end of the work.

        What the caller's process did itself is no other load.
        """
        is_mac = platform.system() == "Darwin"
        busy_s, own_s = _processor_times()
        others_s = (busy_s - self._busy_s) - (own_s - self._own_s)
        return Conditions(
            power=power(_answer("batt")) if is_mac else "unknown",
            thermal=thermal(_answer("therm")) if is_mac else "unknown",
            other_load=round(max(0.0, others_s) / max(time.monotonic() - self._began_s, 1e-3), 2),
            processors=psutil.cpu_count() or 0,
        )


def _processor_times() -> tuple[float, float]:
    """Return for how many seconds the processors have been busy, and how many of them for this process."""
    all_times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    waiting_s = all_times.idle + getattr(all_times, "iowait", 0.0)
    # Guests are counted in user and nice already (Linux).
    guests_s = getattr(all_times, "guest", 0.0) + getattr(all_times, "guest_nice", 0.0)
    return sum(all_times) - waiting_s - guests_s, own.user + own.system


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
