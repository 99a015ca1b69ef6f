"""Studies on the disk."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.errors import BrokenModel, RequestError, StorageError, StudyNotFound
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
    """Return a study with an original, a candidate and an existing conversion."""
    for name in ("maker/original", "maker/good"):
        write_model(tmp_path / name)
    write_model(tmp_path / "models" / "maker" / "original-8bit")

    def find(name: str) -> ModelDescription:
        return describe(tmp_path / name, name)

    plan = _plan(recipes=("8bit",))
    return new_study(plan, find=find, recipe=builtin.recipe, models=tmp_path / "models")


def _reference(root: Path, *, chunks: int) -> Path:
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


def test_a_complete_reference_is_not_recorded_again(study: Study, tmp_path: Path) -> None:
    recorded = msgspec.structs.replace(study, reference_folder=str(_reference(tmp_path, chunks=2)))
    assert refresh_study(recorded, tmp_path).reference_folder == recorded.reference_folder


@pytest.mark.parametrize("chunks", [0, 1])
def test_an_incomplete_reference_is_recorded_again(study: Study, tmp_path: Path, chunks: int) -> None:
    """The original reads the missing chunks."""
    recorded = msgspec.structs.replace(study, reference_folder=str(_reference(tmp_path, chunks=chunks)))
    assert ("reference", "original") in _kinds(refresh_study(recorded, tmp_path))


def test_a_damaged_reference_is_recorded_again(study: Study, tmp_path: Path) -> None:
    reference = _reference(tmp_path, chunks=2)
    (reference / "reference.json").write_bytes(b"[" * 100_000)
    recorded = msgspec.structs.replace(study, reference_folder=str(reference))
    assert ("reference", "original") in _kinds(refresh_study(recorded, tmp_path))


def test_a_conversion_that_survived_a_kill_is_not_repeated(study: Study, tmp_path: Path) -> None:
    """The model is put in place before the study is saved."""
    rows = tuple(msgspec.structs.replace(row, exists=row.recipe is None, size_bytes=0) for row in study.rows)
    refreshed = refresh_study(msgspec.structs.replace(study, rows=rows), tmp_path)
    assert not [step for step in _kinds(refreshed) if step[0] == "convert"]
    assert refreshed.rows[-1].size_bytes > 0


def test_a_deleted_conversion_is_repeated(study: Study, tmp_path: Path) -> None:
    """If it has measurements left."""
    conversion = tmp_path / "models" / "maker" / "original-8bit"
    for file in conversion.iterdir():
        file.unlink()
    conversion.rmdir()
    assert ("convert", "original-8bit") in _kinds(refresh_study(study, tmp_path))


def test_the_speed_of_a_deleted_original_is_not_measured(study: Study, tmp_path: Path) -> None:
    """The candidates are."""
    plan = msgspec.structs.replace(study.plan, speed=StudyPlan(name="", original="").speed)
    rows = (msgspec.structs.replace(study.original, path=str(tmp_path / "gone")), *study.rows[1:])
    study = msgspec.structs.replace(study, plan=plan, rows=rows, reference_folder=str(_reference(tmp_path, chunks=2)))
    assert {label for _, label in _kinds(refresh_study(study, tmp_path))} == {"good", "original-8bit"}


def test_a_deleted_original_without_a_reference_fails(study: Study, tmp_path: Path) -> None:
    """The step reports it, and nothing is converted."""
    rows = (msgspec.structs.replace(study.original, path=str(tmp_path / "gone"), exists=False), *study.rows[1:])
    steps = list(remaining(refresh_study(msgspec.structs.replace(study, rows=rows), tmp_path)))
    assert (steps[0].kind, getattr(steps[0].request, "model", "")) == ("reference", str(tmp_path / "gone"))


def _find_broken(name: str) -> ModelDescription | BrokenDescription:
    return BrokenDescription(name, Path("broken") / name, "It has no weights.")


def test_a_broken_candidate_does_not_stop_the_others(study: Study, tmp_path: Path) -> None:
    """Its own step reports the problem."""

    def find(name: str) -> ModelDescription | BrokenDescription:
        return _find_broken(name) if name == "maker/bad" else describe(tmp_path / name, name)

    plan = _plan(candidates=("maker/bad", "maker/good"))
    new = new_study(plan, find=find, recipe=builtin.recipe, models=tmp_path)
    assert _kinds(new) == [("reference", "original"), ("fidelity", "bad"), ("fidelity", "good")]
    assert with_sizes(new) == new


def test_a_broken_original_is_rejected(tmp_path: Path) -> None:
    """With its problem."""
    with pytest.raises(BrokenModel, match="It has no weights"):
        new_study(_plan(), find=_find_broken, recipe=builtin.recipe, models=tmp_path)


def test_a_study_cannot_run_twice_at_a_time(study: Study, tmp_path: Path) -> None:
    """Neither by another window nor by the command line."""
    rejection = pytest.raises(RequestError, match="study is already running")
    with exclusive(study, tmp_path), rejection, exclusive(study, tmp_path):
        pass
    with exclusive(study, tmp_path):
        pass
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_a_damaged_study_is_reported_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    """Others are still listed."""
    save_study(Study(plan=_plan(name="intact"), rows=(Row(label="a", path="a"),)), tmp_path)
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(StorageError, match="is damaged"):
        find_study("study", tmp_path)
    assert [study.plan.name for study in all_studies(tmp_path)] == ["intact"]


def test_an_unknown_study_is_reported_with_the_existing_ones(tmp_path: Path) -> None:
    save_study(Study(plan=_plan(name="Whales"), rows=(Row(label="a", path="a"),)), tmp_path)
    assert find_study("other", tmp_path) is None
    with pytest.raises(StudyNotFound, match="Existing studies: Whales"):
        load_study("other", tmp_path)


@pytest.mark.parametrize("name", ["x" * 3000, "長" * 300, "../../etc/passwd", "a/b", "\n", "…"])
def test_any_name_has_a_file_name(tmp_path: Path, name: str) -> None:
    """In the folder of the studies."""
    save_study(Study(plan=_plan(name=name), rows=(Row(label="a", path="a"),)), tmp_path)
    assert load_study(name, tmp_path).plan.name == name
    assert len(list(tmp_path.iterdir())) == 1
