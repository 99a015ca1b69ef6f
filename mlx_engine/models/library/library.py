"""The models on this machine: in Facet's own folder, in the caches of other programs, and in folders that are added."""

import difflib
import unicodedata
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.library.places import Place, Root, places
from mlx_engine.models.library.scan_cache import ScanCache

Row = ModelDescription | BrokenDescription
_most_listed = 8


@dataclass(frozen=True, slots=True)
class Library:
    """The models by name, each id once; `absent` are the roots that are not there, as on a disk that is unplugged."""

    rows: tuple[Row, ...]
    absent: tuple[Root, ...] = ()


def survey(roots: Sequence[Root], cache_file: Path | None = None) -> Library:
    """Return every model in `roots`. With a `cache_file`, only what has changed since the last time is read.

    One that cannot be used is a row that says why; one that lies in two roots that overlap is one row.

    Raises:
        StorageError: Facet's own folder is there but cannot be read.
    """
    cache = ScanCache(cache_file)
    rows = [_row(root, place, cache) for root, place in _all_places(roots)]
    absent = tuple(root for root in roots if root.kind == "added" and not root.path.is_dir())
    for root in absent:
        cache.keep(root.path)
    cache.save()
    return Library(tuple(sorted(rows, key=lambda row: (_plain(row.name), row.id))), absent)


def find(models_folder: Path, name: str) -> ModelDescription:
    """Return the model of Facet's own folder that a person calls `name`; see `find_among`."""
    return find_among([Root("facet", models_folder)], name)


def find_among(roots: Sequence[Root], name: str) -> ModelDescription:
    """Return the model that a person calls `name`: its id, its name, or the path of any model folder or GGUF file.

    Raises:
        ModelNotFound: there is none, or several; the message says which there are.
        ModelError: it is there but cannot be used.
        StorageError: it cannot be read.
    """
    found = {place.id: (root, place) for root, place in _all_places(roots)}
    if match := _match(found, name):
        return _described(*found[match])
    if name and _is_there(path := Path(name)):
        return describe(path.resolve(), _id_of(path))
    raise _not_found(found, name)


def find_any(roots: Sequence[Root], name: str) -> Row:
    """Return the model that a person calls `name`, as `find_among` does, also one that cannot be used.

    Raises:
        ModelNotFound: there is none, or several; the message says which there are.
    """
    try:
        return find_among(roots, name)
    except ModelNotFound:
        raise
    except FacetError as error:
        if _is_there(path := Path(name)):
            return BrokenDescription(_id_of(path), path.resolve(), error.message)
        return find_row(roots, name)


def find_row(roots: Sequence[Root], name: str) -> Row:
    """Return the model of the library that a person calls `name`, also one that cannot be used.

    Raises:
        ModelNotFound: there is none, or several; the message says which there are.
    """
    found = {place.id: (root, place) for root, place in _all_places(roots)}
    if match := _match(found, name):
        return _row(*found[match], ScanCache(None))
    raise _not_found(found, name)


def _match(ids: Collection[str], name: str) -> str:
    """Return the id that `name` means, "" if it means none."""
    wanted = _plain(name)
    matches = [one for one in ids if wanted in (_plain(one), _plain(one.rpartition("/")[2]))]
    if name in matches:
        return name
    if len(matches) > 1:
        raise ModelNotFound(f"Several models are called {name!r}: {', '.join(sorted(matches))}. Say which.")
    return matches[0] if matches else ""


def _not_found(ids: Collection[str], name: str) -> ModelNotFound:
    return ModelNotFound(f"There is no model called {name!r}. {_there(ids, name)}")


def _there(ids: Collection[str], name: str) -> str:
    """Return which models there are; of many, those whose names are near to `name`."""
    if not ids:
        return "Facet has no models yet."
    if len(ids) <= _most_listed:
        return f"Facet has {', '.join(sorted(ids))}."
    shorts = {_plain(one.rpartition("/")[2]): one for one in sorted(ids)}
    wanted = _plain(name.rpartition("/")[2])
    holding = [one for short, one in shorts.items() if wanted and wanted in short][:5]
    near = holding or [shorts[short] for short in difflib.get_close_matches(wanted, shorts, n=3)]
    return f"Did you mean {' or '.join(near)}?" if near else f"Facet has {len(ids)} others."


def _all_places(roots: Sequence[Root]) -> Iterator[tuple[Root, Place]]:
    """Give each place once, under an id of its own."""
    seen: set[tuple[int, int] | Path] = set()
    ids: set[str] = set()
    for root in roots:
        for place in places(root):
            if (identity := _identity(place)) not in seen:
                seen.add(identity)
                name = _free_id(place.id, root, ids)
                ids.add(name)
                yield root, place if name == place.id else replace(place, id=name)


def _identity(place: Place) -> tuple[int, int] | Path:
    try:
        status = place.path.stat()
    except OSError:
        return place.path
    return status.st_dev, status.st_ino


def _free_id(id: str, root: Root, taken: Container[str]) -> str:
    """Return `id`, or what tells it from another model that is called so."""
    others = (f"{id}@{root.kind}{number}" for number in chain([""], count(2)))
    return next(one for one in chain([id], others) if one not in taken)


def _row(root: Root, place: Place, cache: ScanCache) -> Row:
    if known := cache.get(place):
        return known
    try:
        model = _described(root, place)
    except FacetError as error:
        return BrokenDescription(place.id, place.path, error.message, root.kind)
    cache.put(place, model)
    return model


def _described(root: Root, place: Place) -> ModelDescription:
    model = describe(place.path, place.id)
    return replace(
        model,
        origin=root.kind,
        source=model.source or place.source,
        revision=model.revision or place.revision,
        name=place.id.rpartition("/")[2].partition("@")[0],
    )


def _is_there(path: Path) -> bool:
    try:
        return path.is_dir() or (path.suffix == ".gguf" and path.is_file())
    except (OSError, ValueError):
        return False


def _id_of(path: Path) -> str:
    """Return what a model is called that lies anywhere."""
    path = path.resolve()
    return f"{path.parent.name}/{path.stem if path.suffix == '.gguf' else path.name}"


def _plain(name: str) -> str:
    """Return the name without what people do not tell apart: case, and how accents are composed."""
    return unicodedata.normalize("NFC", name).casefold()
