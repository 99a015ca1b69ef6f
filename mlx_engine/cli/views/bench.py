"""Speed in a terminal and as JSON: a table in the style of llama-bench."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mlx_engine.amounts import format_duration, format_memory
from mlx_engine.measure.figures.figures import FIRST_TOKEN, LOAD_TIME, PEAK_MEMORY
from mlx_engine.measure.results.speed_result import USUAL_PROMPT_TOKENS, RateSeries, SpeedResult, Warmth

_FIRST_LOAD: dict[Warmth, str] = {
    "cold": "cold",
    "warm": "the first time, with its files already in memory",
    "unknown": "the first time",
}


def fields(result: SpeedResult) -> dict[str, Any]:
    """Return all fields of a result; in `tests`, each measurement under the name that llama-bench gives it."""
    tests = [
        {
            "test": _name(series, result, is_reading=is_reading),
            "tokens_per_s": series.median,
            "spread": series.spread,
            "is_disturbed": series.is_disturbed,
            "time_to_first_token_s": result.time_to_first_token_s(series) if is_reading else None,
            "peak_memory_bytes": series.peak_memory_bytes,
        }
        for series, is_reading in _series(result)
    ]
    return {"tests": tests, "warmth": result.warmth, **msgspec.to_builtins(result)}


def lines(result: SpeedResult) -> Iterator[str]:
    """Yield the table, then remarks about it."""
    tools = ", ".join(f"{name} {version}" for name, version in result.tools.items())
    yield f"{result.model} on {result.machine}, {tools}"
    yield ""
    if result.prefill_rates or result.decode_rates:
        yield from _table(result)
        yield ""
    first_s, again_s = result.load_s
    yield f"{LOAD_TIME.title}: {first_s:.2f} s {_FIRST_LOAD[result.warmth]}, {again_s:.2f} s again."
    plan = result.plan
    yield f"Medians of {plan.repetitions}; ± is half the range from the slowest to the fastest run."
    if result.prefill_rates:
        yield f"pp{USUAL_PROMPT_TOKENS}: a prompt of {USUAL_PROMPT_TOKENS} tokens, until the first generated token."
    if result.decode_rates:
        yield f"tg{plan.decode_tokens} @ d2048: {plan.decode_tokens} tokens generated after 2,048."
    if plan.cache_bits != 16:
        yield f"{plan.cache_bits}-bit KV cache."
    yield f"{result.conditions.text[0].upper()}{result.conditions.text[1:]}."
    yield from (f"Skipped: {reason}." for reason in result.skipped)
    yield from (f"Failed: {reason}." for reason in result.failures)


def _table(result: SpeedResult) -> Iterator[str]:
    head = ("Test", "tok/s", FIRST_TOKEN.title, PEAK_MEMORY.title)
    rows = [_cells(series, result, is_reading=is_reading) for series, is_reading in _series(result)]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    yield _line(head, widths)
    rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    yield f"| {' | '.join(rules)} |"
    yield from (_line(row, widths) for row in rows)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join((name.strip().ljust(widths[0]), *numbers))} |"


def _cells(series: RateSeries, result: SpeedResult, *, is_reading: bool) -> tuple[str, ...]:
    digits = 1 if series.median >= 10 else 2
    half = series.median * series.spread / 2
    return (
        _name(series, result, is_reading=is_reading),
        f"{series.median:,.{digits}f} ± {half:,.{digits}f} {'*' if series.is_disturbed else ' '}",
        format_duration(result.time_to_first_token_s(series)) if is_reading else "",
        format_memory(series.peak_memory_bytes),
    )


def _series(result: SpeedResult) -> Iterator[tuple[RateSeries, bool]]:
    yield from ((series, True) for series in result.prefill_rates)
    yield from ((series, False) for series in result.decode_rates)


def _name(series: RateSeries, result: SpeedResult, *, is_reading: bool) -> str:
    if is_reading:
        return f"pp{series.tokens}"
    return f"tg{result.plan.decode_tokens}" + (f" @ d{series.tokens}" if series.tokens else "")
