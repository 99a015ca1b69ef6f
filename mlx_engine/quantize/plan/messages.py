"""Messages between a parent and a job process about conversions: values that travel as JSON.

parent                             job process
ReadOutline ──────────────────────►
  ◄──────────────────────────────── OutlineRead | RequestFailed
Convert ──────────────────────────►
  ◄── ConversionPlanned, ConversionProgress … Converted | RequestFailed
Pause, Resume ────────────────────►   at any time; no answer
"""

import msgspec

from mlx_engine.protocol import type_tag
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.recipe import Recipe


class ReadOutline(msgspec.Struct, frozen=True, tag="read_outline", tag_field=type_tag):
    """Read the outline of a model: `model` is the path of a folder or of a GGUF file.

    Without a path, read `repository` on the Hub at `revision`, downloading only headers and small files.
    """

    id: str
    model: str = ""
    repository: str = ""
    revision: str = "main"


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag="convert", tag_field=type_tag):
    """Convert the model at `source` to the folder `target` by `recipe`.

    `model_id` is the id of the result in the library; `repository` and `commit` are the origin of the source. Without
    a `source`, the repository is downloaded at `revision` during the conversion. `remove_source` removes the weights
    of the source from the disk when the target is complete, or downloaded files one by one after use.
    """

    id: str
    source: str
    target: str
    model_id: str
    recipe: Recipe
    repository: str = ""
    revision: str = "main"
    commit: str = ""
    remove_source: bool = False


class Pause(msgspec.Struct, frozen=True, tag="pause", tag_field=type_tag):
    """Pause the running conversion; the process keeps its work."""

    id: str


class Resume(msgspec.Struct, frozen=True, tag="resume", tag_field=type_tag):
    """Resume the paused conversion."""

    id: str


class OutlineRead(msgspec.Struct, frozen=True, tag="outline", tag_field=type_tag):
    """The outline of a model; `notes` are sentences about losses of the source, past or by conversion.

    For a model on the Hub, `path` is a folder with the headers of its weights and all its other files, at `commit`. It
    exists until the next outline is read.
    """

    id: str
    outline: Outline
    notes: tuple[str, ...] = ()
    path: str = ""
    commit: str = ""
    missing_bytes: int = 0
    """For a model on the Hub: the size of the weights that are not downloaded yet."""
    least_bytes: int = 0
    """For a model on the Hub: the least disk space for its weights, if each file is removed after use."""


class UnquantizedTensor(msgspec.Struct, frozen=True):
    """A matrix that is kept although the recipe would quantize it; `reason` ends a sentence."""

    path: str
    reason: str


class SourceArrived(msgspec.Struct, frozen=True, tag="source_arrived", tag_field=type_tag):
    """The repository of a conversion without a source is downloaded and verified, in the folder `path`."""

    id: str
    path: str
    commit: str


class SourceProgress(msgspec.Struct, frozen=True, kw_only=True, tag="source_progress", tag_field=type_tag):
    """Progress of the download of an original during its conversion. `remaining_s` is None while unknown."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None


class ConversionPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="conversion_planned", tag_field=type_tag):
    """The exact result to expect. `notes` are sentences about anything that is dropped or loses precision."""

    id: str
    size_bytes: int
    """Of the weight files."""
    bits_per_weight: float
    unquantized: tuple[UnquantizedTensor, ...] = ()
    notes: tuple[str, ...] = ()


class ConversionProgress(msgspec.Struct, frozen=True, kw_only=True, tag="conversion_progress", tag_field=type_tag):
    """Progress in bytes of the result; `tensor` is being written. `remaining_s` is None while unknown."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    tensor: str


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag="converted", tag_field=type_tag):
    """The model is complete, in the folder `path`."""

    id: str
    path: str
    size_bytes: int
    """Of the weight files."""
    bits_per_weight: float
    unquantized: tuple[UnquantizedTensor, ...] = ()
    notes: tuple[str, ...] = ()
