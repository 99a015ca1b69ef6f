"""The models on this Mac: in Facet's folder, in the caches of other apps, and in folders that the user added."""

import difflib
import unicodedata
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.gguf.files import is_gguf, model_name
from mlx_engine.models.library.locations import ModelLocation, Root, find_locations
from mlx_engine.models.library.scan_cache import ScanCache

Row = ModelDescription | BrokenDescription
_listed_limit = 8


@dataclass(frozen=True, slots=True)
class Library:
    """The models sorted by name, with unique ids; `absent` are roots that do not exist, as on a disconnected disk."""

    rows: tuple[Row, ...]
    absent: tuple[Root, ...] = ()


def scan(roots: Sequence[Root], cache_file: Path | None = None) -> Library:
    """Return all models in `roots`. With a `cache_file`, only models that have changed since the last scan are read.

    An unusable model is a row with the reason. A model in two overlapping roots is one row.

    Raises:
        StorageError: Facet's folder exists but cannot be read.
    """
    cache = ScanCache(cache_file)
    rows = [_row(root, location, cache) for root, location in _all_locations(roots)]
    absent = tuple(root for root in roots if root.kind == "added" and not root.path.is_dir())
    for root in absent:
        cache.keep(root.path)
    cache.save()
    return Library(tuple(sorted(rows, key=lambda row: (_plain(row.name), row.id))), absent)


def find_model(roots: Sequence[Root], name: str) -> ModelDescription:
    """Return the model with the id or name `name`, or at this path if it is a model folder or a GGUF file.

    Raises:
        ModelNotFound: no model matches, or several; the message lists the candidates.
        ModelError: the model exists but cannot be used.
        StorageError: it cannot be read.
    """
    locations = {location.id: (root, location) for root, location in _all_locations(roots)}
    if match := _match(locations, name):
        return _describe(*locations[match])
    if name and _may_be_model(path := Path(name)):
        return describe(path.resolve(), _id_of(path))
    raise _not_found(locations, name)


def find_row_or_path(roots: Sequence[Root], name: str) -> Row:
    """Return the model that `find_model` would, even if it cannot be used.

    Raises:
        ModelNotFound: no model matches, or several; the message lists the candidates.
    """
    try:
        return find_model(roots, name)
    except ModelNotFound:
        raise
    except FacetError as error:
        if _may_be_model(path := Path(name)):
            return BrokenDescription(_id_of(path), path.resolve(), error.message)
        return find_row(roots, name)


def find_row(roots: Sequence[Root], name: str) -> Row:
    """Return the model of the library with the id or name `name`, even if it cannot be used.

    Raises:
        ModelNotFound: no model matches, or several; the message lists the candidates.
    """
    locations = {location.id: (root, location) for root, location in _all_locations(roots)}
    if match := _match(locations, name):
        return _row(*locations[match], ScanCache(None))
    raise _not_found(locations, name)


def _match(ids: Collection[str], name: str) -> str:
    """Return the id that `name` refers to; "" if none does."""
    target = _plain(name)
    matches = [model_id for model_id in ids if target in (_plain(model_id), _plain(model_id.rpartition("/")[2]))]
    if name in matches:
        return name
    if len(matches) > 1:
        raise ModelNotFound(f"Several models are called {name!r}. Choose one of {', '.join(sorted(matches))}.")
    return matches[0] if matches else ""


def _not_found(ids: Collection[str], name: str) -> ModelNotFound:
    return ModelNotFound(f"No model is called {name!r}. {_suggestion(ids, name)}")


def _suggestion(ids: Collection[str], name: str) -> str:
    """Return a sentence that lists the models; if there are many, those with names similar to `name`."""
    if not ids:
        return "The library is empty."
    if len(ids) <= _listed_limit:
        return f"The library contains {', '.join(sorted(ids))}."
    ids_by_name = {_plain(model_id.rpartition("/")[2]): model_id for model_id in sorted(ids)}
    target = _plain(name.rpartition("/")[2])
    containing = [model_id for short_name, model_id in ids_by_name.items() if target and target in short_name][:5]
    similar = containing or [ids_by_name[match] for match in difflib.get_close_matches(target, ids_by_name, n=3)]
    return f"Did you mean {' or '.join(similar)}?" if similar else f"The library contains {len(ids)} other models."


def _all_locations(roots: Sequence[Root]) -> Iterator[tuple[Root, ModelLocation]]:
    """Yield each location once, with a unique id."""
    seen: set[tuple[int, int] | Path] = set()
    ids: set[str] = set()
    for root in roots:
        for location in find_locations(root):
            if (identity := _identity(location)) not in seen:
                seen.add(identity)
                name = _free_id(location.id, root, ids)
                ids.add(name)
                yield root, location if name == location.id else replace(location, id=name)


def _identity(location: ModelLocation) -> tuple[int, int] | Path:
    try:
        status = location.path.stat()
    except OSError:
        return location.path
    return status.st_dev, status.st_ino


def _free_id(id: str, root: Root, used_ids: Container[str]) -> str:
    """Return `id`, with a suffix if another model has it."""
    alternatives = (f"{id}@{root.kind}{number}" for number in chain([""], count(2)))
    return next(candidate for candidate in chain([id], alternatives) if candidate not in used_ids)


def _row(root: Root, location: ModelLocation, cache: ScanCache) -> Row:
    if model := cache.get(location):
        return model
    try:
        model = _describe(root, location)
    except FacetError as error:
        return BrokenDescription(location.id, location.path, error.message, root.kind)
    cache.put(location, model)
    return model


def _describe(root: Root, location: ModelLocation) -> ModelDescription:
    model = describe(location.path, location.id)
    return replace(
        model,
        origin=root.kind,
        source=model.source or location.source,
        revision=model.revision or location.revision,
        name=location.id.rpartition("/")[2].partition("@")[0],
    )


def _may_be_model(path: Path) -> bool:
    try:
        return path.is_dir() or (is_gguf(path) and path.is_file())
    except (OSError, ValueError):
        return False


def _id_of(path: Path) -> str:
    """Return the id of a model outside the library."""
    path = path.resolve()
    return f"{path.parent.name}/{model_name(path) if is_gguf(path) else path.name}"


def _plain(name: str) -> str:
    """Return the name in lower case with composed accents, for comparison."""
    return unicodedata.normalize("NFC", name).casefold()
