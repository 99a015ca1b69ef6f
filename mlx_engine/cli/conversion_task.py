"""One conversion of a command: its recipe, its target folder, its forecast and its run."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.job import JobSubprocess
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.conversion import ConversionTextView
from mlx_engine.cli.views.job import JobJsonView, show_all
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.memory import estimate_fit, estimate_table
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.files import staging
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.forecast import ConversionForecast
from mlx_engine.quantize.plan.messages import Convert, OutlineRead
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.unchanged import unquantized_lines


@dataclass(frozen=True, slots=True)
class ConversionTask:
    recipe: Recipe
    target: Path

    @property
    def request(self) -> Convert:
        """The request, without its source."""
        model_id = f"{self.target.parent.name}/{self.target.name}"
        return Convert(id=self.recipe.name, source="", target=str(self.target), model_id=model_id, recipe=self.recipe)

    def discard_partial(self) -> None:
        """Remove the remains of an interrupted run."""
        for folder in (self.target, preflight.headers_folder(self.target)):
            staging.discard_partial(folder)


def new_task(source_id: str, recipe: Recipe, models: Path, out: Path | None) -> ConversionTask:
    """Return a task whose target is named after model and recipe, in the folder `out` or below the model's owner."""
    owner, _, name = source_id.partition("@")[0].rpartition("/")
    return ConversionTask(
        recipe, (out.absolute() if out else models / (owner or "converted")) / f"{name}-{recipe.name}"
    )


def run_conversion(request: Convert, process: JobSubprocess, *, json: bool) -> None:
    """Run the conversion and show its progress."""
    show_all(process.run(request), JobJsonView() if json else ConversionTextView())


def write_forecast(
    task: ConversionTask,
    source: ModelDescription,
    outline: OutlineRead,
    forecast: ConversionForecast,
    *,
    context: int,
    json: bool,
) -> None:
    """Write the exact forecast of a conversion; `context` is in tokens, 0 for the default."""
    result = forecast.describe(source)
    fit = estimate_fit(result, this_machine(), context=context, cache_bits=16)
    if json:
        write_json(
            {
                "recipe": task.recipe.name,
                "path": task.target,
                "size_bytes": forecast.size_bytes,
                "files": forecast.files,
                "bits_per_weight": forecast.bits_per_weight,
                "fit": msgspec.to_builtins(fit),
                "unquantized": dict(forecast.unquantized),
                "dropped": forecast.dropped,
                "notes": outline.notes,
                "layers": forecast.bits,
            }
        )
        return
    terminal.write(f"{task.recipe.name}: {task.target}\n")
    size = format_disk(forecast.size_bytes)
    terminal.write(f"{'Size':14}{size:>10}  {forecast.size_bytes:,} bytes in {format_count(forecast.files, 'file')}\n")
    terminal.write(f"{'Bits/weight':14}{forecast.bits_per_weight:>10.3f}  {forecast.quantization}\n")
    terminal.write(estimate_table(result, fit, 16))
    lines = [*outline.notes, *(f"Dropped: {part.prefix}: {part.reason}." for part in forecast.dropped)]
    lines += (f"Not quantized: {line}." for line in unquantized_lines(forecast.unquantized))
    terminal.write("".join(f"{line}\n" for line in lines))
