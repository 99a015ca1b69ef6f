"""What a parent and a job process say to each other about conversions: values that travel as JSON.

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
    """Read of what a model consists: `model` is the path of a folder or of a GGUF file.

    Without one it is the `repository` on the Hub, at `revision`, of which only headers and small files are brought.
    """

    id: str
    model: str = ""
    repository: str = ""
    revision: str = "main"


class Convert(msgspec.Struct, frozen=True, kw_only=True, tag="convert", tag_field=type_tag):
    """Make the folder `target` from the model at `source`, after `recipe`.

    `model_id` is what the result is called in the library. `repository` and `commit` say where the source came from.
    Without a `source` the repository is downloaded meanwhile, at `revision`. `remove_source` removes the weights of the
    source from the disk once the target is whole, or file by file as they are used if they are downloaded.
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
    """Pause the running conversion, which keeps its work in the process."""

    id: str


class Resume(msgspec.Struct, frozen=True, tag="resume", tag_field=type_tag):
    """Resume the paused conversion."""

    id: str


class OutlineRead(msgspec.Struct, frozen=True, tag="outline", tag_field=type_tag):
    """`notes` are sentences about what the source loses, or has lost already.

    Of a model on the Hub, `path` is a folder with the headers of its weights, and all its other files, at `commit`. It
    stays until the next one is read.
    """

    id: str
    outline: Outline
    notes: tuple[str, ...] = ()
    path: str = ""
    commit: str = ""
    missing_bytes: int = 0
    """Of a model on the Hub: what is to come of its weights."""
    least_bytes: int = 0
    """Of a model on the Hub: what its weights take at a time, at least, if each file is removed when it was used."""


class Kept(msgspec.Struct, frozen=True):
    """A matrix that stays as it is although the recipe would quantize it; `reason` is a sentence's end."""

    path: str
    reason: str


class SourceArrived(msgspec.Struct, frozen=True, tag="source_arrived", tag_field=type_tag):
    """The repository of a conversion without a source is here now, whole and verified, in the folder `path`."""

    id: str
    path: str
    commit: str


class SourceProgress(msgspec.Struct, frozen=True, kw_only=True, tag="source_progress", tag_field=type_tag):
    """How much of an original has come that is being converted. `remaining_s` is None while nobody can tell."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None


class ConversionPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="conversion_planned", tag_field=type_tag):
    """What will come of it, exactly. `notes` are sentences about what is dropped or loses something."""

    id: str
    size_bytes: int
    """Of the weight files."""
    bits_per_weight: float
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()


class ConversionProgress(msgspec.Struct, frozen=True, kw_only=True, tag="conversion_progress", tag_field=type_tag):
    """How far it is, in bytes of the result; `tensor` is being written. `remaining_s` is None while nobody can tell."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    tensor: str


class Converted(msgspec.Struct, frozen=True, kw_only=True, tag="converted", tag_field=type_tag):
    """The model is in the folder `path`, whole."""

    id: str
    path: str
    size_bytes: int
    """Of the weight files."""
    bits_per_weight: float
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()
