"""The memory of this machine, as far as a model may use it. MLX is not asked: the window wants to know as well."""

import os
import platform
import subprocess
from dataclasses import dataclass

_gib = 2**30


@dataclass(frozen=True, slots=True)
class Machine:
    """`working_set_bytes` is the most that a model should hold; `working_set_source` says in a few words why."""

    memory_bytes: int
    working_set_bytes: int
    working_set_source: str
    has_metal: bool

    @property
    def reserve_bytes(self) -> int:
        """What stays free for MLX's own buffers and for what the estimate leaves out: 3 GiB, or an eighth of less."""
        return min(3 * _gib, self.working_set_bytes // 8)

    @property
    def available_bytes(self) -> int:
        return self.working_set_bytes - self.reserve_bytes


def physical_memory_bytes() -> int:
    """Return the memory that is built in. Asked of the system itself: the window's start does not wait for psutil."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    memory_bytes = physical_memory_bytes()
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return mac(memory_bytes, _wired_limit())
    return Machine(memory_bytes, memory_bytes, "all memory, which the processor computes in", has_metal=False)


def mac(memory_bytes: int, wired_limit_mb: str) -> Machine:
    """Return an Apple Silicon Mac, from its memory and the text of its setting `iogpu.wired_limit_mb`.

    Without that setting, "0" or "", Metal recommends two thirds of the memory, and three quarters from 36 GiB on
    (reported by `recommendedMaxWorkingSetSize` in public logs of llama.cpp; newer systems recommend a little more).
    """
    if wired_limit_mb.isdecimal() and (limit := int(wired_limit_mb) * 2**20):
        return Machine(memory_bytes, min(limit, memory_bytes), "set by iogpu.wired_limit_mb", has_metal=True)
    is_large = memory_bytes >= 36 * _gib
    share = memory_bytes * 3 // 4 if is_large else memory_bytes * 2 // 3
    words = f"{'three quarters' if is_large else 'two thirds'} of the memory, as Metal recommends"
    return Machine(memory_bytes, share, words, has_metal=True)


def _wired_limit() -> str:
    command = ["/usr/sbin/sysctl", "-n", "iogpu.wired_limit_mb"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
