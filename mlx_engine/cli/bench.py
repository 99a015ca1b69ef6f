"""`facet bench`: says how fast a model loads, reads and writes."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job, terminal
from mlx_engine.cli.json_lines import write_json
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.errors import InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.messages import MeasureSpeed, SpeedMeasured, SpeedUnderway
from mlx_engine.measure.speed_result import Series, SpeedPlan, SpeedResult
from mlx_engine.models import library
from mlx_engine.models.memory import size_in_words
from mlx_engine.protocol import CacheBits


def bench(  # noqa: PLR0913 - options
    model: str,
    /,
    *,
    prompts: Annotated[tuple[int, ...], Parameter(negative=())] = (128, 512, 2048, 8192),
    depths: Annotated[tuple[int, ...], Parameter(negative=())] = (0, 2048, 8192),
    decode: int = 64,
    repetitions: int = 3,
    cache_bits: CacheBits = 16,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Measure how fast a model loads, reads prompts and writes answers, and how much memory that takes.

    Args:
        model: A model by name or id, or a model folder.
        prompts: Read prompts of so many tokens; can be given several times.
        depths: Write after so many tokens; can be given several times.
        decode: Write so many tokens.
        repetitions: Measure each figure so often.
        cache_bits: Bits in which the context is kept.
        folder: Look into this folder as well.
        json: Write one JSON object.
    """
    path = library.find_among(roots(folder), model).path
    fields = {"prompts": prompts, "depths": depths, "decode_tokens": decode, "repetitions": repetitions}
    plan = _plan({**fields, "cache_bits": cache_bits})
    status = terminal.StatusLine()
    try:
        for event in job.run(MeasureSpeed(id=model, model=str(path), plan=plan), Folders.from_environment()):
            match event:
                case SpeedUnderway():
                    status.show(f"{event.done} of {event.total}: {event.words}")
                case SpeedMeasured(result=result):
                    status.clear()
                    _tell(result, json=json)
    finally:
        status.clear()


def _plan(fields: dict[str, object]) -> SpeedPlan:
    try:
        return msgspec.convert(fields, SpeedPlan)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"This cannot be measured: {error}.") from error


def _tell(result: SpeedResult, *, json: bool) -> None:
    if json:
        write_json(msgspec.to_builtins(result))
    else:
        terminal.write("".join(f"{line}\n" for line in _lines(result)))


def _lines(result: SpeedResult) -> Iterator[str]:
    yield f"{result.model} on {result.machine}"
    cold, warm = result.load_s
    yield f"  {'load':24}{cold:8.2f} s       again {warm:.2f} s"
    for series in result.reading:
        first = f"first token after {result.time_to_first_token_s(series):.2f} s"
        yield f"  {f'read {series.tokens:,}':24}{_rate(series)}  {first}"
    for series in result.decoding:
        yield f"  {f'write {result.plan.decode_tokens} after {series.tokens:,}':24}{_rate(series)}"
    yield f"  {'peak memory':24}{size_in_words(result.peak_memory_bytes):>8}"
    yield f"  {result.conditions.in_words}"
    yield from (f"  Not measured: {words}." for words in result.skipped)
    if result.disturbed:
        yield "  Something else was running: the values marked * lie too far apart to be relied on. Measure again."


def _rate(series: Series) -> str:
    mark = "*" if series.is_disturbed else " "
    return f"{series.median:8.1f} tokens/s ± {series.spread / 2:4.0%}{mark}"
