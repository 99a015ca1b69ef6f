"""`facet bench`: says how fast a model loads, reads and writes."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter, Token

from mlx_engine.cli import job
from mlx_engine.cli.job import JobError
from mlx_engine.cli.model_lookup import AddedFolders, find_model
from mlx_engine.cli.views import bench as bench_view
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED, UsageError, report
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.errors import InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.json_fields import place_and_problem
from mlx_engine.measure.results.messages import MeasureSpeed, SpeedMeasured, SpeedProgress
from mlx_engine.measure.results.speed_result import SpeedPlan, SpeedResult
from mlx_engine.protocol import CacheBits


def _numbers(_type: object, tokens: Sequence[Token]) -> tuple[int, ...]:
    """Return the numbers of an option that is given several times, or with commas."""
    words = [word for token in tokens for word in token.value.split(",")]
    try:
        return tuple(map(int, words))
    except ValueError as error:
        raise UsageError(f"{tokens[0].keyword} wants whole numbers, such as 512 or 128,2048.") from error


def bench(  # noqa: PLR0913 - options
    model: str,
    /,
    *,
    prompt: Annotated[
        tuple[int, ...], Parameter(name=("--prompt", "-p"), negative=(), converter=_numbers, n_tokens=1)
    ] = (128, 512, 2048, 8192),
    decode: Annotated[int, Parameter(name=("--decode", "-n"))] = 64,
    depth: Annotated[
        tuple[int, ...], Parameter(name=("--depth", "-d"), negative=(), converter=_numbers, n_tokens=1)
    ] = (0, 2048, 8192),
    repetitions: Annotated[int, Parameter(name=("--repetitions", "-r"))] = 3,
    cache_bits: CacheBits = 16,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Measure how fast a model loads, reads prompts and writes answers, and how much memory that takes.

    The table is that of llama-bench: pp512 is reading 512 tokens, tg64 @ d2048 writing 64 after 2,048. What is beyond
    the model's context or would not fit the memory that is free is not tried, and said so.

    A figure whose values lie more than 20 % apart is taken once more; if they still do, something else was running: it
    is marked with a star. The exit code is 1 then, and if a figure failed. Control-C shows what was found until then.

    Args:
        model: A model by name or id, or a model folder.
        prompt: Read prompts of so many tokens; several with commas, 0 for none.
        decode: Write so many tokens; 0 for none.
        depth: Write after so many tokens; several with commas.
        repetitions: Measure each figure so often.
        cache_bits: Bits in which the context is kept.
        folder: Look into this folder as well.
        json: Write one JSON object.
    """
    plan = _plan(
        prompts=[tokens for tokens in prompt if tokens],
        depths=depth if decode else (),
        decode_tokens=decode or 1,
        repetitions=repetitions,
        cache_bits=cache_bits,
    )
    path = find_model(model, folder).path
    course = _Course()
    try:
        course.run(MeasureSpeed(id=model, model=str(path), plan=plan))
    except KeyboardInterrupt:
        if course.found and not json:
            _tell(course.found, json=False)
        terminal.note("Stopped. Nothing of it is kept.\n")
        raise
    except JobError as error:
        if course.found:
            _tell(course.with_failure(error), json=json)
        raise
    found = course.found
    assert found  # noqa: S101 - a course that ends well has a result
    _tell(found, json=json)
    return _end(found)


class _Course:
    """A measurement under way, and what was found so far."""

    def __init__(self) -> None:
        self.found: SpeedResult | None = None
        self._words = ""

    def run(self, request: MeasureSpeed) -> None:
        status = terminal.StatusLine()
        try:
            for event in job.run(request, Folders.from_environment()):
                match event:
                    case SpeedProgress(so_far=so_far):
                        self.found, self._words = so_far, event.words
                        status.show(f"{event.done} of {event.total}: {event.words}")
                    case SpeedMeasured(result=result):
                        self.found = result
        finally:
            status.clear()

    def with_failure(self, error: JobError) -> SpeedResult:
        """Return what was found, with what the process died of."""
        assert self.found  # noqa: S101 - the caller has looked
        failures = (*self.found.failures, f"{self._words}: {error.message.rstrip('.')}")
        return msgspec.structs.replace(self.found, failures=failures)


def _plan(**fields: object) -> SpeedPlan:
    try:
        return msgspec.convert(fields, SpeedPlan)
    except msgspec.ValidationError as error:
        place, problem = place_and_problem(error)
        raise InvalidParameter(f"This cannot be measured. At {place}: {problem}.") from error


def _tell(result: SpeedResult, *, json: bool) -> None:
    if json:
        write_json(bench_view.fields(result))
    else:
        terminal.write("".join(f"{line}\n" for line in bench_view.lines(result)))


def _end(result: SpeedResult) -> int:
    if result.disturbed:
        report("Something else was running: values with a star lie too far apart. Close other programs, measure again.")
    is_empty = not (result.reading or result.decoding) and bool(result.skipped)
    if is_empty:
        report("Nothing could be measured but the loading.")
    return FAILED if result.disturbed or result.failures or is_empty else 0
