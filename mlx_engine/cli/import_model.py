"""`facet import`: copies a model folder or converts a GGUF file into Facet's library."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.folders import Folders
from mlx_engine.models.gguf.files import is_gguf, model_name, sole_model
from mlx_engine.models.hub.files import is_safe
from mlx_engine.models.library.copying import CopyProgress, copy_model

if TYPE_CHECKING:
    from mlx_engine.models.library.gguf_import import ImportProgress

_DEFAULT_OWNER = "imported"
"""Owner of models whose author is unknown, as in the window."""


def import_model(
    path: Path,
    /,
    *,
    name: Annotated[str, Parameter(show_default=False)] = "",
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Import a model folder or a GGUF file. The weights are not changed.

    Args:
        path: A model folder, or a .gguf file.
        name: Name of the model in the library, as OWNER/NAME. Default: imported/ and its current name.
        json: Write JSON, one object per line: progress, then the id and folder of the model.
    """
    source = _sole_gguf(path)
    model_id = name or f"{_DEFAULT_OWNER}/{model_name(source) if is_gguf(source) else source.absolute().name}"
    if not _is_id(model_id):
        raise UsageError(f"{model_id!r} is not a valid model name. Use --name OWNER/NAME.")
    target = Folders.from_environment().models / model_id
    status = terminal.StatusLine()
    try:
        for percent in _percents(source, target):
            if json:
                write_json({"percent": percent})
            else:
                status.show(f"Importing {model_id}: {percent}%")
    finally:
        status.clear()
    if json:
        write_json({"id": model_id, "path": str(target)})
    else:
        terminal.write(f"{target}\n")


def _percents(source: Path, target: Path) -> Iterator[int]:
    """Import `source`; yield the percentage done each time it changes."""
    if is_gguf(source):
        from mlx_engine.models.library.gguf_import import import_gguf  # noqa: PLC0415 - imports numpy

        steps: Iterator[CopyProgress | ImportProgress] = import_gguf(source, target, origin=source.name)
    else:
        steps = copy_model(source, target)
    last = -1
    for step in steps:
        percent = 100 * step.done_bytes // max(1, step.total_bytes)
        if percent > last:
            yield percent
            last = percent


def _sole_gguf(path: Path) -> Path:
    """Return the only GGUF model of a folder without another model, or else the path itself."""
    has_other = not path.is_dir() or (path / "config.json").exists()
    return path if has_other else sole_model(path) or path


def _is_id(text: str) -> bool:
    parts = text.split("/")
    return (
        len(parts) == 2
        and is_safe(text)
        and not any(part.startswith(".") for part in parts)
        and not text.endswith(".partial")
    )
