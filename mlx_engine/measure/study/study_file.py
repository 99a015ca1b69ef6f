"""Stores studies: one file each, written after every step."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mlx_engine.errors import (
    BrokenModel,
    FacetError,
    InvalidParameter,
    InvalidRecipe,
    ModelNotFound,
    RequestError,
    StorageError,
    StudyNotFound,
)
from mlx_engine.measure.results.references import stored_reference
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import FORMAT, Row, Study, remaining
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import claimed, storage_errors, write_whole
from mlx_engine.models.hub.datasets import find_local, parse_dataset
from mlx_engine.quantize.recipes.recipe import Recipe

STAND_IN = "8bit"
"""The recipe of the conversion that replaces an original that is too large."""


def new_study(
    plan: StudyPlan,
    *,
    find: Callable[[str], ModelDescription | BrokenDescription],
    recipe: Callable[[str], Recipe],
    models: Path,
    reference: Callable[[str], Path | None] = lambda _name: None,
) -> Study:
    """Return the study of `plan` before its first step.

    `find` returns the model and `recipe` the recipe of a name; conversions are stored below `models`. `reference`
    returns the folder of the stored reference of an original that was deleted. A damaged candidate fails in its own
    step.

    Raises:
        BrokenModel: the original is damaged.
        ModelNotFound: a model that the plan names does not exist.
        InvalidRecipe: a recipe does not exist, or another recipe of the same name made the existing conversion.
        InvalidParameter: the plan names a model twice.
    """
    try:
        model, reference_folder = find(plan.original), None
        if isinstance(model, BrokenDescription):
            raise BrokenModel(f"Couldn't measure {model.id}. {model.problem}")
        original = _row(model, is_original=True)
    except ModelNotFound:
        reference_folder = reference(plan.original)
        if reference_folder is None:
            raise
        original = Row(label=plan.original, path=plan.original, is_original=True, exists=False)
    rows = [original, *(_row(find(name)) for name in plan.candidates)]
    rows += (_planned(original, recipe(name), models) for name in plan.recipes)
    if plan.stand_in and reference_folder is None:
        stand_in = _planned(original, recipe(STAND_IN), models)
        rows = [row for row in rows if row.label != stand_in.label]
        rows.insert(1, msgspec.structs.replace(stand_in, is_stand_in=True))
    labels = [row.label for row in rows]
    if repeated := next((label for label in labels if labels.count(label) > 1), None):
        raise InvalidParameter(f"The plan names {repeated} twice. Name each model and recipe once.")
    return Study(plan=plan, rows=tuple(rows), reference_folder=str(reference_folder or ""), created=provenance.now())


def refresh_study(study: Study, datasets: Path) -> Study:
    """Return the study in its present state on disk.

    A reference that was deleted or damaged and a data set that is missing in `datasets` are dropped, and the original
    and the conversions are checked for existence.
    """
    reference = stored_reference(Path(study.reference_folder)) if study.reference_folder else None
    if reference is None or not reference.is_complete:
        study = msgspec.structs.replace(study, reference_folder="")
    needed = {step.label for step in remaining(study)}
    rows = tuple(_with_existence(row, is_needed=row.label in needed) for row in study.rows)
    study = msgspec.structs.replace(study, rows=rows)
    if study.dataset and find_local(parse_dataset(study.dataset), datasets) is None:
        study = msgspec.structs.replace(study, dataset="")
    return study


def conversion_label(original: str, recipe: str) -> str:
    """Return the id of the conversion of the model `original`."""
    owner, _, name = original.partition("@")[0].rpartition("/")
    return f"{owner or 'converted'}/{name}-{recipe}"


def with_sizes(study: Study) -> Study:
    """Return the study with the sizes of the models that exist."""
    return msgspec.structs.replace(study, rows=tuple(_with_size(row) for row in study.rows))


def _with_existence(row: Row, *, is_needed: bool) -> Row:
    """Return the row with `exists` updated, unless a conversion was deleted after its measurements."""
    exists = Path(row.path).exists()
    if row.is_original or (row.recipe and (exists or is_needed)):
        return _with_size(msgspec.structs.replace(row, exists=exists))
    return row


def _row(model: ModelDescription | BrokenDescription, *, is_original: bool = False) -> Row:
    if isinstance(model, BrokenDescription):
        return Row(label=model.id, path=str(model.path))
    return Row(
        label=model.id,
        path=str(model.path),
        is_original=is_original,
        size_bytes=model.size_bytes,
        bits_per_weight=model.bits_per_weight,
        quantization=model.quantization,
    )


def _planned(original: Row, recipe: Recipe, models: Path) -> Row:
    """Return the row of a conversion, which may exist already."""
    label = conversion_label(original.label, recipe.name)
    target = models / label
    if target.exists() and not _was_made_by(recipe, target):
        raise InvalidRecipe(
            f"{label} already exists, made by a different recipe named {recipe.name}. Delete that model, list it as a "
            "candidate, or rename the recipe."
        )
    row = Row(label=label, path=str(target), recipe=recipe, exists=target.exists())
    return _with_size(row)


def _was_made_by(recipe: Recipe, target: Path) -> bool:
    """Return whether this recipe made the model in `target`; True if its recipe is unknown."""
    try:
        maker = msgspec.convert(provenance.read(target).settings, Recipe)
    except (msgspec.ValidationError, InvalidRecipe):
        return True
    return maker.unnamed == recipe.unnamed


def _with_size(row: Row) -> Row:
    if not row.exists or row.size_bytes:
        return row
    try:
        model = describe(Path(row.path), row.label)
    except FacetError:  # The step that uses the model reports the reason.
        return row
    return msgspec.structs.replace(
        row,
        size_bytes=model.size_bytes,
        bits_per_weight=model.bits_per_weight,
        quantization=model.quantization,
    )


@contextmanager
def exclusive(study: Study, root: Path) -> Iterator[None]:
    """Hold the exclusive right to run the study for the duration of the context.

    Raises:
        RequestError: another process is running it.
        StorageError: `root` is not writable.
    """
    mark = root / f".{_file_name(study.plan.name)}.running"
    with storage_errors(mark):
        root.mkdir(parents=True, exist_ok=True)
    with claimed(mark) as is_mine:
        if not is_mine:
            raise RequestError(
                f"The study {study.plan.name} is already running, in a window or another terminal. Wait for it to "
                "finish, or pause it there."
            )
        yield


def save_study(study: Study, root: Path) -> None:
    """Write the study below `root`, replacing its previous state.

    Raises:
        StorageError: it cannot be written.
    """
    file = root / f"{_file_name(study.plan.name)}.json"
    with storage_errors(file):
        root.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(study), indent=2))


def load_study(name: str, root: Path) -> Study:
    """Return the study named `name`.

    Raises:
        StudyNotFound: it does not exist.
        StorageError: it is damaged, or was written by another version of Facet.
    """
    if study := find_study(name, root):
        return study
    names = ", ".join(study.plan.name for study in all_studies(root)) or "none"
    raise StudyNotFound(f"Couldn't find a study named {name}. Existing studies: {names}.")


def find_study(name: str, root: Path) -> Study | None:
    """Return the study named `name`, or None.

    Raises:
        StorageError: it is damaged, or was written by another version of Facet.
    """
    file = root / f"{_file_name(name)}.json"
    study = _read(file)
    if study is None and file.exists():
        raise StorageError(
            f"The study {name} is damaged, or was written by another version of Facet. Delete {file} and run it again."
        )
    return study


def all_studies(root: Path) -> Iterator[Study]:
    """Return the readable studies below `root`."""
    return filter(None, map(_read, sorted(root.glob("*.json"))))


def same_name(name: str, names: Iterable[str]) -> bool:
    """Return whether one of `names` would use the same file, also on a disk that ignores case."""
    return _file_name(name).casefold() in {_file_name(other).casefold() for other in names}


def delete_study(name: str, root: Path) -> None:
    """Delete the study named `name`, but not its conversions and measurements.

    Raises:
        StorageError: it cannot be deleted.
    """
    file = root / f"{_file_name(name)}.json"
    with storage_errors(file):
        file.unlink(missing_ok=True)


def _read(file: Path) -> Study | None:
    study = read_value(file, Study)
    return study if study and study.format == FORMAT else None


def _file_name(name: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    # File systems limit the bytes of a file name.
    return plain.encode()[:100].decode(errors="ignore") or "study"
