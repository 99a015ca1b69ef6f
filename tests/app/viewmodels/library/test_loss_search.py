"""What is known of a model's loss, wherever it was measured."""

from pathlib import Path

import msgspec
import pytest

from app.viewmodels.library.loss import Loss, NotMeasured
from app.viewmodels.library.loss_search import look_up
from mlx_engine.measure.results.results import fingerprints, save_fidelity, save_speed
from mlx_engine.measure.results.speed_result import Series, SpeedPlan, SpeedResult
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, StepFailure, Study
from mlx_engine.measure.study.study_file import save_study
from tests.app.fake_models import make_model
from tests.app.token_texts import result

NAME = "maker/Whale-4bit"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "models", NAME)


@pytest.fixture
def weights(model: Path, tmp_path: Path) -> str:
    """The fingerprint of the model, which is remembered."""
    return fingerprints(tmp_path / "measurements").of(model)


def known(model: Path, root: Path, *, is_whole: bool = False) -> Loss | NotMeasured:
    return look_up(model, root / "measurements", root / "studies", is_whole=is_whole)


def speed(weights: str, *series: Series) -> SpeedResult:
    return SpeedResult(
        model="", weights=weights, plan=SpeedPlan(), load_s=(1.0,), reading=(), decoding=series, peak_memory_bytes=1
    )


def keep_study(root: Path, row: Row, name: str = "Whales") -> None:
    """Keep a study of the original and `row`."""
    original = Row(label="maker/Whale", path="gone", is_original=True, is_made=False)
    rows = (row,) if row.is_original else (original, row)
    save_study(Study(plan=StudyPlan(name=name, original="maker/Whale"), rows=rows), root / "studies")


def test_what_was_never_measured_can_be(model: Path, tmp_path: Path) -> None:
    """Of an original there is nothing to lose."""
    assert "not measured yet" in known(model, tmp_path).sentence
    assert "not quantized" in known(model, tmp_path, is_whole=True).sentence


def test_kept_results_are_found_by_the_weights(model: Path, weights: str, tmp_path: Path) -> None:
    """With a whole context before one of fewer bits; and the speed of both, where it was measured."""
    root = tmp_path / "measurements"
    save_fidelity(result(NAME, candidate_weights=weights), root)
    late = "2026-12-01T10:00:00+00:00"
    save_fidelity(result(NAME, candidate_weights=weights, cache_bits=4, created=late), root)
    save_speed(speed(weights, Series(0, (90.0,))), root)
    save_speed(speed("whale-weights", Series(0, (20.0, 30.0, 40.0))), root)
    loss = known(model, tmp_path)
    assert isinstance(loss, Loss)
    assert "2026-11-23" in loss.how
    assert loss.bars[2].words == "3.0 times as fast, disturbed"
    assert "with a 4-bit KV cache" in loss.others
    assert loss.study == ""


def test_of_one_text_the_latest_result_counts(model: Path, weights: str, tmp_path: Path) -> None:
    """Those before it are not told as something else."""
    for day, answers in (("01", "key"), ("02", "other key")):
        created = f"2026-12-{day}T10:00:00+00:00"
        found = result(NAME, candidate_weights=weights, reference_key=answers, created=created)
        save_fidelity(found, tmp_path / "measurements")
    loss = known(model, tmp_path)
    assert isinstance(loss, Loss)
    assert "2026-12-02" in loss.how
    assert loss.others == ""


def test_the_study_that_has_it_is_named(model: Path, weights: str, tmp_path: Path) -> None:
    """Also if its original is gone."""
    found = result(NAME, candidate_weights=weights)
    save_fidelity(found, tmp_path / "measurements")
    keep_study(tmp_path, Row(label=NAME, path=str(model), fidelity=(found,)))
    loss = known(model, tmp_path)
    assert loss.study == "Whales"
    assert isinstance(loss, Loss)
    assert loss.how.endswith("In the study “Whales”.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failures": (StepFailure("fidelity", "Another vocabulary", "Choose another."),)}, "failed in the study"),
        ({"is_original": True}, "it is the original"),
        ({"is_stand_in": True}, "in the place of the original"),
        ({}, "waits to be measured"),
    ],
)
def test_a_study_without_a_result_says_why(changes: dict[str, object], words: str, model: Path, tmp_path: Path) -> None:
    """The way leads there."""
    row = msgspec.structs.replace(Row(label=NAME, path=str(model)), **changes)
    keep_study(tmp_path, row)
    found = known(model, tmp_path)
    assert words in found.sentence
    assert found.study == "Whales"
