"""One conversion that was asked for: how, where to, what would come of it, and its run."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.job import Job
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.conversion import TextView
from mlx_engine.cli.views.job import JsonView, show_all
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.memory import lines, reckon
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.files import staging
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.forecast import ConversionForecast
from mlx_engine.quantize.plan.messages import Convert, OutlineRead
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.unchanged import unquantized_lines


@dataclass(frozen=True, slots=True)
class Task:
    recipe: Recipe
    target: Path

    @property
    def request(self) -> Convert:
        """What asks for it; where its source is has to be filled in."""
        model_id = f"{self.target.parent.name}/{self.target.name}"
        return Convert(id=self.recipe.name, source="", target=str(self.target), model_id=model_id, recipe=self.recipe)

    def discard_partial(self) -> None:
        """Remove what a run that was ended has left."""
        for folder in (self.target, preflight.headers_folder(self.target)):
            staging.discard_partial(folder)


def task(id: str, recipe: Recipe, models: Path, out: Path | None) -> Task:
    """Name the result after model and recipe, below its maker's name or in the folder `out`."""
    owner, _, name = id.partition("@")[0].rpartition("/")
    return Task(recipe, (out.absolute() if out else models / (owner or "converted")) / f"{name}-{recipe.name}")


def run(request: Convert, process: Job, *, json: bool) -> None:
    """Do it, and show how it goes on."""
    show_all(process.run(request), JsonView() if json else TextView())


def tell_forecast(
    task: Task, source: ModelDescription, read: OutlineRead, expected: ConversionForecast, *, context: int, json: bool
) -> None:
    """Say exactly what would come of it; `context` is in tokens, 0 is the usual one."""
    result = expected.describe(source)
    fit = reckon(result, this_machine(), context=context, cache_bits=16)
    if json:
        write_json(
            {
                "recipe": task.recipe.name,
                "path": task.target,
                "size_bytes": expected.size_bytes,
                "files": expected.files,
                "bits_per_weight": expected.bits_per_weight,
                "fit": msgspec.to_builtins(fit),
                "kept": dict(expected.kept),
                "dropped": expected.dropped,
                "notes": read.notes,
                "layers": expected.bits,
            }
        )
        return
    terminal.write(f"{task.recipe.name}: {task.target}\n")
    size = format_disk(expected.size_bytes)
    terminal.write(f"{'size':14}{size:>10}  {expected.size_bytes:,} bytes in {format_count(expected.files, 'file')}\n")
    terminal.write(f"{'bits/weight':14}{expected.bits_per_weight:>10.3f}  {expected.quantization}\n")
    terminal.write(lines(result, fit, 16))
    told = [*read.notes, *(f"{one.prefix} is left out: {one.reason}." for one in expected.dropped)]
    told += (f"Kept: {line}." for line in unquantized_lines(expected.kept))
    terminal.write("".join(f"{line}\n" for line in told))
