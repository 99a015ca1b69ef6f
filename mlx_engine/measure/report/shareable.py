"""A study without private data: no folders of this Mac, and no texts of the user.

Private texts are never quoted; other files of the user only on request.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, StepFailure, Study

_FOLDERS = re.compile(r"(?<![\w…:/.\\])/(?:[^\s/]+/)+")
"""The folders of a path without spaces."""
_MIN_PARTS = 3
"""The root and two folders: shorter paths are not specific to a user."""


def shareable(study: Study, *, with_texts: bool = False) -> Study:
    """Return `study` without private data; `with_texts` also quotes a text of the user."""
    quotes = with_texts or not is_user_text(study.plan.corpus)
    folders = sorted(_folders(study), key=len, reverse=True)
    rows = tuple(_row(row, folders, quotes=quotes) for row in study.rows)
    return msgspec.structs.replace(
        study, plan=_plan(study.plan), rows=rows, reference_folder=Path(study.reference_folder).name
    )


def shareable_header(header: ReferenceHeader) -> ReferenceHeader:
    """Return the header of a stored reference without private data."""
    return msgspec.structs.replace(
        header, model=name_of(header.model), folder="", corpus=name_of(header.corpus), source=_source(header.source)
    )


def is_user_text(corpus: CorpusSource) -> bool:
    """Return whether the text belongs to the user, rather than to Facet or a public data set."""
    return bool(corpus.path or corpus.text or corpus.private)


def name_of(text: str) -> str:
    """Return a name unchanged, or the last part of a path or of an id that starts with the home folder."""
    is_path = text.startswith(("/", "~", ".")) or "\\" in text
    return Path(text).name if is_path or text.startswith(f"{Path.home().name}/") else text


def _plan(plan: StudyPlan) -> StudyPlan:
    return msgspec.structs.replace(
        plan,
        original=name_of(plan.original),
        candidates=tuple(map(name_of, plan.candidates)),
        recipes=tuple(map(name_of, plan.recipes)),
        corpus=_source(plan.corpus),
    )


def _source(corpus: CorpusSource) -> CorpusSource:
    return msgspec.structs.replace(corpus, path=Path(corpus.path).name, text="")


def _row(row: Row, folders: Sequence[str], *, quotes: bool) -> Row:
    return msgspec.structs.replace(
        row,
        label=name_of(row.label),
        path=Path(row.path).name,
        fidelity=tuple(_result(result, quotes=quotes) for result in row.fidelity),
        speed=_speed(row.speed, folders) if row.speed else None,
        failures=tuple(_failure(failure, folders) for failure in row.failures),
    )


def _result(result: FidelityResult, *, quotes: bool) -> FidelityResult:
    return msgspec.structs.replace(
        result,
        candidate=name_of(result.candidate),
        reference=name_of(result.reference),
        corpus=name_of(result.corpus),
        worst=result.worst if quotes and not result.private else (),
    )


def _speed(speed: SpeedResult, folders: Sequence[str]) -> SpeedResult:
    failures = tuple(_without_folders(failure, folders) for failure in speed.failures)
    return msgspec.structs.replace(speed, model=name_of(speed.model), failures=failures)


def _failure(failure: StepFailure, folders: Sequence[str]) -> StepFailure:
    return msgspec.structs.replace(failure, message=_without_folders(failure.message, folders))


def _without_folders(message: str, folders: Sequence[str]) -> str:
    message = message.replace(str(Path.home()), "~")
    for folder in folders:
        message = message.replace(f"{folder}{os.sep}", "…/")
    return _FOLDERS.sub("…/", message)


def _folders(study: Study) -> Iterator[str]:
    """Yield the folders that contain models, texts and references; they may have spaces."""
    paths = (
        study.reference_folder,
        study.plan.original,
        *study.plan.candidates,
        *study.plan.recipes,
        study.plan.corpus.path,
    )
    for path in (*(Path(row.path) for row in study.rows), *map(Path, paths)):
        if path.is_absolute():
            yield from (str(folder) for folder in path.parents if len(folder.parts) >= _MIN_PARTS)
