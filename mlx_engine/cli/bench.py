"""`facet bench`: measures the speed and memory of a model."""

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
from mlx_engine.json_fields import path_and_problem
from mlx_engine.measure.results.messages import MeasureSpeed, SpeedMeasured, SpeedProgress
from mlx_engine.measure.results.speed_result import SpeedPlan, SpeedResult
from mlx_engine.protocol import CacheBits


def _parse_numbers(_type: object, tokens: Sequence[Token]) -> tuple[int, ...]:
    """Return the numbers of an option that is repeated or has several values, separated by commas."""
    values = [value for token in tokens for value in token.value.split(",")]
    try:
        return tuple(map(int, values))
    except ValueError as error:
        raise UsageError(f"{tokens[0].keyword} must be whole numbers, such as 512 or 128,2048.") from error


def bench(  # noqa: PLR0913 - options
    model: str,
    /,
    *,
    prompt: Annotated[
        tuple[int, ...], Parameter(name=("--prompt", "-p"), negative=(), converter=_parse_numbers, n_tokens=1)
    ] = (128, 512, 2048, 8192),
    decode: Annotated[int, Parameter(name=("--decode", "-n"))] = 64,
    depth: Annotated[
        tuple[int, ...], Parameter(name=("--depth", "-d"), negative=(), converter=_parse_numbers, n_tokens=1)
    ] = (0, 2048, 8192),
    repetitions: Annotated[int, Parameter(name=("--repetitions", "-r"))] = 3,
    cache_bits: CacheBits = 16,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Measure a model's load time, prefill and decode speed, and peak memory.

    The table uses llama-bench's names: pp512 is the prefill of 512 tokens, tg64 @ d2048 is the generation of 64 tokens
    after 2,048. Tests that exceed the model's context or the free memory are skipped and listed.

    A test whose values differ by more than 20% is repeated once. If they still do, something else was running, and the
    figure is marked with a star. The exit code is 1 if a figure is marked or a test failed. Control-C shows the
    results so far.

    Args:
        model: Name, id or folder of a model.
        prompt: Prompt lengths in tokens, separated by commas; 0 for none.
        decode: Number of tokens to generate; 0 for none.
        depth: Context lengths before generation, in tokens, separated by commas.
        repetitions: Number of runs for each figure.
        cache_bits: Precision of the KV cache, in bits.
        folder: Also look in this folder. Can be repeated.
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
    measurement = _Measurement()
    try:
        measurement.run(MeasureSpeed(id=model, model=str(path), plan=plan))
    except KeyboardInterrupt:
        if measurement.result and not json:
            _show(measurement.result, json=False)
        terminal.note("Stopped. The results are not saved.\n")
        raise
    except JobError as error:
        if measurement.result:
            _show(measurement.with_failure(error), json=json)
        raise
    result = measurement.result
    assert result  # noqa: S101 - a measurement that does not fail has a result
    _show(result, json=json)
    return _exit_code(result)


class _Measurement:
    """A measurement in progress, with its results so far."""

    def __init__(self) -> None:
        self.result: SpeedResult | None = None
        self._step = ""

    def run(self, request: MeasureSpeed) -> None:
        status = terminal.StatusLine()
        try:
            for event in job.run(request, Folders.from_environment()):
                match event:
                    case SpeedProgress(so_far=so_far):
                        self.result, self._step = so_far, event.step
                        status.show(f"{event.done} of {event.total}: {event.step}")
                    case SpeedMeasured(result=result):
                        self.result = result
        finally:
            status.clear()

    def with_failure(self, error: JobError) -> SpeedResult:
        """Return the results so far, with the failure of the process."""
        assert self.result  # noqa: S101 - checked by the caller
        failures = (*self.result.failures, f"{self._step}: {error.message.rstrip('.')}")
        return msgspec.structs.replace(self.result, failures=failures)


def _plan(**fields: object) -> SpeedPlan:
    try:
        return msgspec.convert(fields, SpeedPlan)
    except msgspec.ValidationError as error:
        path, problem = path_and_problem(error)
        raise InvalidParameter(f"This measurement is not possible. At {path}: {problem}.") from error


def _show(result: SpeedResult, *, json: bool) -> None:
    if json:
        write_json(bench_view.fields(result))
    else:
        terminal.write("".join(f"{line}\n" for line in bench_view.lines(result)))


def _exit_code(result: SpeedResult) -> int:
    if result.disturbed:
        report("Something else was running: figures with a star vary too much. Quit other apps and measure again.")
    is_empty = not (result.prefill_rates or result.decode_rates) and bool(result.skipped)
    if is_empty:
        report("Only the load time could be measured.")
    return FAILED if result.disturbed or result.failures or is_empty else 0
