"""The memory of this Mac that models can use, read without MLX, because the window needs it too."""

import os
import platform
import subprocess
from dataclasses import dataclass

_gib = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """`working_set_bytes` is the most that models should use; `working_set_source` is the origin of that limit."""

    memory_bytes: int
    working_set_bytes: int
    working_set_source: str
    has_metal: bool

    @property
    def reserve_bytes(self) -> int:
        """Memory to keep free for MLX's buffers and for whatever the estimate omits: 3 GiB, or an eighth if less."""
        return min(3 * _gib, self.working_set_bytes // 8)

    @property
    def available_bytes(self) -> int:
        return self.working_set_bytes - self.reserve_bytes


def physical_memory_bytes() -> int:
    """Return the installed memory, from the system itself: loading psutil would delay the window."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def this_machine() -> Machine:
    """Return this machine."""
    memory_bytes = physical_memory_bytes()
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return mac(memory_bytes, _wired_limit())
    return Machine(memory_bytes, memory_bytes, "all of the memory", has_metal=False)


def mac(memory_bytes: int, wired_limit_mb: str) -> Machine:
    """Return an Apple silicon Mac with this memory and this value of its setting `iogpu.wired_limit_mb`.

    Without that setting, "0" or "", Metal recommends two thirds of the memory, and three quarters from 36 GiB on
    (reported by `recommendedMaxWorkingSetSize` in public logs of llama.cpp; newer systems recommend a little more).
    """
    if wired_limit_mb.isdecimal() and (limit := int(wired_limit_mb) * 2**20):
        return Machine(memory_bytes, min(limit, memory_bytes), "set by iogpu.wired_limit_mb", has_metal=True)
    is_large = memory_bytes >= 36 * _gib
    share = memory_bytes * 3 // 4 if is_large else memory_bytes * 2 // 3
    source = f"{'three quarters' if is_large else 'two thirds'} of the memory, recommended by Metal"
    return Machine(memory_bytes, share, source, has_metal=True)


def _wired_limit() -> str:
    command = ["/usr/sbin/sysctl", "-n", "iogpu.wired_limit_mb"]
    try:
        sysctl = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return sysctl.stdout.strip()
