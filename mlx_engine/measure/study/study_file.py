"""Keeps studies: one file each, written after every step."""

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
"""The recipe of what answers in the place of an original that is too large."""


def new_study(
    plan: StudyPlan,
    *,
    find: Callable[[str], ModelDescription | BrokenDescription],
    recipe: Callable[[str], Recipe],
    models: Path,
    kept: Callable[[str], Path | None] = lambda _name: None,
) -> Study:
    """Return the study of `plan` before its first step.

    `find` returns the model of a name, `recipe` the recipe of a name; what recipes make, stands below `models`. Of an
    original that is not there any more, `kept` returns the answers. A candidate that is damaged will fail for itself.

    Raises:
        BrokenModel: the original is damaged.
        ModelNotFound: a model that the plan names is not there.
        InvalidRecipe: there is no such recipe, or another one of its name has made what is there.
        InvalidParameter: it names a model twice.
    """
    try:
        found, answers = find(plan.original), None
        if isinstance(found, BrokenDescription):
            raise BrokenModel(f"{found.id} cannot be measured. {found.problem}")
        original = _row(found, is_original=True)
    except ModelNotFound:
        answers = kept(plan.original)
        if answers is None:
            raise
        original = Row(label=plan.original, path=plan.original, is_original=True, is_made=False)
    rows = [original, *(_row(find(name)) for name in plan.candidates)]
    rows += (_planned(original, recipe(name), models) for name in plan.recipes)
    if plan.stand_in and answers is None:
        stand_in = _planned(original, recipe(STAND_IN), models)
        rows = [row for row in rows if row.label != stand_in.label]
        rows.insert(1, msgspec.structs.replace(stand_in, is_stand_in=True))
    labels = [row.label for row in rows]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise InvalidParameter(f"The plan names {twice} twice. Name each model and recipe once.")
    return Study(plan=plan, rows=tuple(rows), reference_folder=str(answers or ""), created=provenance.now())


def refresh_study(study: Study, datasets: Path) -> Study:
    """Return the study with what is there now: without answers that were deleted or damaged meanwhile, nor a data set
    that is no more below `datasets`; of the models that it makes, and of the original, it is seen which are there.
    """
    kept = stored_reference(Path(study.reference_folder)) if study.reference_folder else None
    if kept is None or not kept.is_whole:
        study = msgspec.structs.replace(study, reference_folder="")
    left = {step.label for step in remaining(study)}
    rows = tuple(_seen(row, is_needed=row.label in left) for row in study.rows)
    study = msgspec.structs.replace(study, rows=rows)
    if study.dataset and find_local(parse_dataset(study.dataset), datasets) is None:
        study = msgspec.structs.replace(study, dataset="")
    return study


def conversion_label(original: str, recipe: str) -> str:
    """Return what the conversion of the model with the id `original` is called."""
    owner, _, name = original.partition("@")[0].rpartition("/")
    return f"{owner or 'converted'}/{name}-{recipe}"


def with_sizes(study: Study) -> Study:
    """Return the study with the sizes of the models that are there now."""
    return msgspec.structs.replace(study, rows=tuple(_measured(row) for row in study.rows))


def _seen(row: Row, *, is_needed: bool) -> Row:
    """Return the row with whether its model is there. What was made and measured may be deleted."""
    is_there = Path(row.path).exists()
    if row.is_original or (row.recipe and (is_there or is_needed)):
        return _measured(msgspec.structs.replace(row, is_made=is_there))
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
    """Return the row of a conversion, which may have been made before."""
    label = conversion_label(original.label, recipe.name)
    target = models / label
    if target.exists() and not _was_made_by(recipe, target):
        raise InvalidRecipe(
            f"{label} was made by another recipe that was called {recipe.name} too. Delete that model, name it among "
            "the candidates, or give the recipe another name."
        )
    row = Row(label=label, path=str(target), recipe=recipe, is_made=target.exists())
    return _measured(row)


def _was_made_by(recipe: Recipe, target: Path) -> bool:
    """Return whether the model in `target` says that this recipe made it, or does not say which."""
    try:
        maker = msgspec.convert(provenance.read(target).settings, Recipe)
    except (msgspec.ValidationError, InvalidRecipe):
        return True
    return maker.unnamed == recipe.unnamed


def _measured(row: Row) -> Row:
    if not row.is_made or row.size_bytes:
        return row
    try:
        model = describe(Path(row.path), row.label)
    except FacetError:  # What uses it will say why.
        return row
    return msgspec.structs.replace(
        row,
        size_bytes=model.size_bytes,
        bits_per_weight=model.bits_per_weight,
        quantization=model.quantization,
    )


@contextmanager
def exclusive(study: Study, root: Path) -> Iterator[None]:
    """Let nobody else run the study as long as the context lasts.

    Raises:
        RequestError: somebody runs it already.
        StorageError: nothing can be written below `root`.
    """
    mark = root / f".{_file_name(study.plan.name)}.running"
    with storage_errors(mark):
        root.mkdir(parents=True, exist_ok=True)
    with claimed(mark) as is_mine:
        if not is_mine:
            raise RequestError(
                f"The study {study.plan.name} is being run already, in a window or by another command. Wait for its "
                "end, or stop it there."
            )
        yield


def save_study(study: Study, root: Path) -> None:
    """Write the study below `root`, in the place of what it was.

    Raises:
        StorageError: it cannot be written.
    """
    file = root / f"{_file_name(study.plan.name)}.json"
    with storage_errors(file):
        root.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(study), indent=2))


def load_study(name: str, root: Path) -> Study:
    """Return the study called `name`.

    Raises:
        StorageError: there is none, it is damaged, or another version of Facet has written it.
    """
    if study := find_study(name, root):
        return study
    names = ", ".join(study.plan.name for study in all_studies(root)) or "none yet"
    raise StorageError(f"There is no study called {name}. There are: {names}.")


def find_study(name: str, root: Path) -> Study | None:
    """Return the study called `name`, None if there is none.

    Raises:
        StorageError: it is damaged, or another version of Facet has written it.
    """
    file = root / f"{_file_name(name)}.json"
    study = _read(file)
    if study is None and file.exists():
        raise StorageError(
            f"The study {name} is damaged, or of another version of Facet. Delete {file} and run it again."
        )
    return study


def all_studies(root: Path) -> Iterator[Study]:
    """Yield the studies below `root` that can be read."""
    return filter(None, map(_read, sorted(root.glob("*.json"))))


def same_name(name: str, others: Iterable[str]) -> bool:
    """Tell whether one of the others would be kept in the same file, on a disk that tells no capitals apart."""
    return _file_name(name).casefold() in {_file_name(other).casefold() for other in others}


def delete_study(name: str, root: Path) -> None:
    """Remove the study called `name`; what was made for it, and what was measured, stays.

    Raises:
        StorageError: it cannot be removed.
    """
    file = root / f"{_file_name(name)}.json"
    with storage_errors(file):
        file.unlink(missing_ok=True)


def _read(file: Path) -> Study | None:
    study = read_value(file, Study)
    return study if study and study.format == FORMAT else None


def _file_name(name: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    # What a file may be called is limited in bytes.
    return plain.encode()[:100].decode(errors="ignore") or "study"
