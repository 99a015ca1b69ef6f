"""Behaviour of studies on the disk: what they find again, and who may work on them."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.errors import BrokenModel, RequestError, StorageError
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study, remaining
from mlx_engine.measure.study.study_file import (
    all_studies,
    exclusive,
    find_study,
    load_study,
    new_study,
    refresh_study,
    save_study,
    with_sizes,
)
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.quantize.recipes import builtin
from tests.model_folders import write_model


def _plan(**changed: object) -> StudyPlan:
    plan = StudyPlan(name="study", original="maker/original", candidates=("maker/good",), speed=None)
    return msgspec.structs.replace(plan, **changed)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """An original, a candidate, and a conversion that is there."""
    for name in ("maker/original", "maker/good"):
        write_model(tmp_path / name)
    write_model(tmp_path / "models" / "maker" / "original-8bit")

    def find(name: str) -> ModelDescription:
        return describe(tmp_path / name, name)

    plan = _plan(recipes=("8bit",))
    return new_study(plan, find=find, recipe=builtin.recipe, models=tmp_path / "models")


def _answers(root: Path, *, chunks: int) -> Path:
    header = ReferenceHeader(
        model="maker/original",
        weights="w",
        corpus="facet",
        sample="s",
        convention=Convention(),
        kinds=("prose", "code"),
        vocabulary=384,
        tail_mass=0.01,
    )
    folder = root / header.key
    folder.mkdir()
    (folder / "reference.json").write_bytes(msgspec.json.encode(header))
    for number in range(chunks):
        (folder / f"chunk-{number:05}").write_bytes(b"x")
    return folder


def _kinds(study: Study) -> list[tuple[str, str]]:
    return [(step.kind, step.label.rpartition("/")[2]) for step in remaining(study)]


def test_answers_that_are_there_are_not_asked_for_again(study: Study, tmp_path: Path) -> None:
    """A study goes on with its candidates."""
    answered = msgspec.structs.replace(study, reference_folder=str(_answers(tmp_path, chunks=2)))
    assert refresh_study(answered, tmp_path).reference_folder == answered.reference_folder


@pytest.mark.parametrize("chunks", [0, 1])
def test_answers_that_have_lost_a_chunk_are_asked_for_again(study: Study, tmp_path: Path, chunks: int) -> None:
    """The original reads what is missing."""
    answered = msgspec.structs.replace(study, reference_folder=str(_answers(tmp_path, chunks=chunks)))
    assert ("reference", "original") in _kinds(refresh_study(answered, tmp_path))


def test_answers_with_a_damaged_header_are_asked_for_again(study: Study, tmp_path: Path) -> None:
    """As those that are gone."""
    answers = _answers(tmp_path, chunks=2)
    (answers / "reference.json").write_bytes(b"[" * 100_000)
    answered = msgspec.structs.replace(study, reference_folder=str(answers))
    assert ("reference", "original") in _kinds(refresh_study(answered, tmp_path))


def test_a_conversion_that_was_made_before_a_kill_is_not_made_again(study: Study, tmp_path: Path) -> None:
    """The model is put in place before the study is kept."""
    rows = tuple(msgspec.structs.replace(row, exists=row.recipe is None, size_bytes=0) for row in study.rows)
    found = refresh_study(msgspec.structs.replace(study, rows=rows), tmp_path)
    assert not [step for step in _kinds(found) if step[0] == "convert"]
    assert found.rows[-1].size_bytes > 0


def test_a_conversion_that_was_deleted_is_made_again(study: Study, tmp_path: Path) -> None:
    """If something is left to be measured of it."""
    gone = tmp_path / "models" / "maker" / "original-8bit"
    for file in gone.iterdir():
        file.unlink()
    gone.rmdir()
    assert ("convert", "original-8bit") in _kinds(refresh_study(study, tmp_path))


def test_an_original_that_is_gone_is_not_asked_for_its_speed(study: Study, tmp_path: Path) -> None:
    """The candidates are measured all the same."""
    plan = msgspec.structs.replace(study.plan, speed=StudyPlan(name="", original="").speed)
    rows = (msgspec.structs.replace(study.original, path=str(tmp_path / "gone")), *study.rows[1:])
    study = msgspec.structs.replace(study, plan=plan, rows=rows, reference_folder=str(_answers(tmp_path, chunks=2)))
    assert {label for _, label in _kinds(refresh_study(study, tmp_path))} == {"good", "original-8bit"}


def test_without_original_and_answers_it_is_told_that_there_is_none(study: Study, tmp_path: Path) -> None:
    """The step is taken, and says why it fails; nothing is converted from what is not there."""
    rows = (msgspec.structs.replace(study.original, path=str(tmp_path / "gone"), exists=False), *study.rows[1:])
    steps = list(remaining(refresh_study(msgspec.structs.replace(study, rows=rows), tmp_path)))
    assert (steps[0].kind, getattr(steps[0].request, "model", "")) == ("reference", str(tmp_path / "gone"))


def _find_broken(name: str) -> ModelDescription | BrokenDescription:
    return BrokenDescription(name, Path("broken") / name, "It has no weights.")


def test_a_broken_candidate_does_not_stop_the_others(study: Study, tmp_path: Path) -> None:
    """It is measured like them, and will say what is wrong with it."""

    def find(name: str) -> ModelDescription | BrokenDescription:
        return _find_broken(name) if name == "maker/bad" else describe(tmp_path / name, name)

    plan = _plan(candidates=("maker/bad", "maker/good"))
    begun = new_study(plan, find=find, recipe=builtin.recipe, models=tmp_path)
    assert _kinds(begun) == [("reference", "original"), ("fidelity", "bad"), ("fidelity", "good")]
    assert with_sizes(begun) == begun


def test_a_broken_original_is_refused(tmp_path: Path) -> None:
    """With what is wrong with it."""
    with pytest.raises(BrokenModel, match="It has no weights"):
        new_study(_plan(), find=_find_broken, recipe=builtin.recipe, models=tmp_path)


def test_a_study_is_run_once_at_a_time(study: Study, tmp_path: Path) -> None:
    """A second window or command says so; afterwards it may."""
    refused = pytest.raises(RequestError, match="study is already running")
    with exclusive(study, tmp_path), refused, exclusive(study, tmp_path):
        pass
    with exclusive(study, tmp_path):
        pass
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_a_damaged_study_is_told_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    """Others are still listed."""
    save_study(Study(plan=_plan(name="whole"), rows=(Row(label="a", path="a"),)), tmp_path)
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(StorageError, match="is damaged"):
        find_study("study", tmp_path)
    assert [kept.plan.name for kept in all_studies(tmp_path)] == ["whole"]


def test_a_study_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """Names are often mistyped."""
    save_study(Study(plan=_plan(name="mine"), rows=(Row(label="a", path="a"),)), tmp_path)
    assert find_study("other", tmp_path) is None
    with pytest.raises(StorageError, match="Existing studies: mine"):
        load_study("other", tmp_path)


@pytest.mark.parametrize("name", ["x" * 3000, "長" * 300, "../../etc/passwd", "a/b", "\n", "…"])
def test_any_name_is_a_file(tmp_path: Path, name: str) -> None:
    """Below the folder of the studies."""
    save_study(Study(plan=_plan(name=name), rows=(Row(label="a", path="a"),)), tmp_path)
    assert load_study(name, tmp_path).plan.name == name
    assert len(list(tmp_path.iterdir())) == 1
