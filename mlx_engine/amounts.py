"""Amounts as text: sizes, counts, shares, rates and durations, each kind rounded by one rule.

Memory is shown in binary units under Apple's names for them: a Mac sold with 24 GB has 24 * 2**30 bytes. Files, disks
and downloads are shown in decimal units, as in Finder. See docs/decisions/0020.
Amounts are finite; only `format_number` knows infinity.
"""

import math

MEMORY_GB = 2**30
"""Bytes in a "GB" of memory."""
DISK_GB = 10**9
"""Bytes in a "GB" of a file, a download or a disk."""


def format_memory(size_bytes: float, *, is_precise: bool = False) -> str:
    """Format memory, in binary units: "24 GB" for 24 * 2**30 bytes, "10.7 GB", "513 MB".

    A precise size has four significant figures, to be compared with a limit.
    """
    return _format_bytes(size_bytes, 1024, is_precise=is_precise)


def format_disk(size_bytes: float, *, is_precise: bool = False) -> str:
    """Format the size of files, a download or a disk, in decimal units: "4.5 GB", "84 MB", "1 byte".

    A precise size has four significant figures, to be compared with a limit.
    """
    return _format_bytes(size_bytes, 1000, is_precise=is_precise)


def format_progress(done_bytes: float, total_bytes: float) -> str:
    """Format the part of a file or download that is done: "1.2 GB of 4.5 GB"."""
    return f"{format_disk(done_bytes)} of {format_disk(total_bytes)}"


def format_disk_rate(bytes_per_s: float) -> str:
    """Format the speed of a download or a conversion: "12 MB/s"."""
    return f"{format_disk(bytes_per_s)}/s"


def format_token_rate(tokens_per_s: float) -> str:
    """Format the speed of a model: "45.2 tok/s", "1,234 tok/s"."""
    return f"{tokens_per_s:,.{1 if tokens_per_s < 99.95 else 0}f} tok/s"


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Format a number of things: "1 model", "1,234 models"; `plural` where an "s" does not make it."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def format_short_count(count: float) -> str:
    """Format parameters, downloads or likes to three significant figures: "999", "12.3k", "135M", "7.24B"."""
    for unit in ("", "k", "M", "B"):
        if count < 999.5:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g}T"


def format_context(tokens: int) -> str:
    """Format the length of a context in units of 1,024 tokens, rounded down: "512", "8k", "1M"."""
    if tokens < 1024:
        return str(tokens)
    return f"{tokens // 1024}k" if tokens < 1024**2 else f"{tokens / 1024**2:.3g}M"


def format_percent(share: float, digits: int = 0) -> str:
    """Format a share from 0 to 1: "42%"."""
    return f"{100 * share:.{digits}f}%"


def format_number(value: float) -> str:
    """Format a measured value to three significant figures: "0.0432", "1,234", "1.2e-05", "∞"."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "-∞"
    return f"{value:.1e}" if 0 < abs(value) < 1e-4 else f"{value:,.{significant_decimals(value)}f}"


def significant_decimals(value: float) -> int:
    """Return the number of decimals that show a finite `value` to three significant figures."""
    return max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0


def format_duration(seconds: float) -> str:
    """Format a measured time: "0.52 s", "4.2 s", "42 s", "2 min 5 s", "1 h 20 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.{2 if seconds < 0.995 else 1 if seconds < 9.95 else 0}f} s"
    if whole < 3600:
        return _join(divmod(whole, 60), ("min", "s"))
    return _join(divmod(round(seconds / 60), 60), ("h", "min"))


def format_estimate(seconds: float) -> str:
    """Format an estimated time, no finer than it is known: "less than a minute", "about 25 min", "about 3 h 20 min"."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes >= 10:
        minutes = 5 * round(seconds / 300)
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {_join(divmod(10 * round(seconds / 600), 60), ('h', 'min'))}"


def _join(parts: tuple[int, int], units: tuple[str, str]) -> str:
    """Join a larger and a smaller unit, without the smaller one where it is 0."""
    (large, small), (large_unit, small_unit) = parts, units
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def _format_bytes(size_bytes: float, base: int, *, is_precise: bool) -> str:
    """Format a size in the smallest unit that leaves at most three digits before the point.

    GB and TB have one decimal below 100, unless the size is exactly whole; smaller units have none.
    """
    if size_bytes < 0:
        return f"-{_format_bytes(-size_bytes, base, is_precise=is_precise)}"
    if round(size_bytes) < 1000:
        return format_count(round(size_bytes), "byte")
    power = next((power for power in (1, 2, 3) if round(size_bytes / base**power) < 1000), 4)
    amount, unit = size_bytes / base**power, ("KB", "MB", "GB", "TB")[power - 1]
    if is_precise:
        return f"{amount:.4g} {unit}"
    has_decimal = power >= 3 and amount < 99.95 and not amount.is_integer()
    return f"{amount:.{int(has_decimal)}f} {unit}"
