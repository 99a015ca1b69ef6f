"""Tests of finding the quality loss of a model."""

from pathlib import Path

import msgspec
import pytest

from app.viewmodels.library.loss import MeasuredLoss, UnknownLoss
from app.viewmodels.library.loss_search import find_loss
from mlx_engine.measure.results.results import fingerprints, save_fidelity, save_speed
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult
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
    """The fingerprint of the model, saved in the cache."""
    return fingerprints(tmp_path / "measurements").of(model)


def loss_of(model: Path, root: Path, *, is_full_precision: bool = False) -> MeasuredLoss | UnknownLoss:
    return find_loss(model, root / "measurements", root / "studies", is_full_precision=is_full_precision)


def speed(weights: str, *series: RateSeries) -> SpeedResult:
    return SpeedResult(
        model="",
        weights=weights,
        plan=SpeedPlan(),
        load_s=(1.0,),
        prefill_rates=(),
        decode_rates=series,
        peak_memory_bytes=1,
    )


def write_study(root: Path, row: Row, name: str = "Whales") -> None:
    """Save a study of the original and `row`."""
    original = Row(label="maker/Whale", path="gone", is_original=True, exists=False)
    rows = (row,) if row.is_original else (original, row)
    save_study(Study(plan=StudyPlan(name=name, original="maker/Whale"), rows=rows), root / "studies")


def test_an_unmeasured_model_has_no_loss(model: Path, tmp_path: Path) -> None:
    """The reason differs for a model that is not quantized."""
    assert "Not measured yet" in loss_of(model, tmp_path).sentence
    assert "not quantized" in loss_of(model, tmp_path, is_full_precision=True).sentence


def test_saved_results_are_found_by_the_weights(model: Path, weights: str, tmp_path: Path) -> None:
    """A result with a 16-bit KV cache is preferred, and the speeds of both models are compared."""
    root = tmp_path / "measurements"
    save_fidelity(result(NAME, candidate_weights=weights), root)
    late = "2026-12-01T10:00:00+00:00"
    save_fidelity(result(NAME, candidate_weights=weights, cache_bits=4, created=late), root)
    save_speed(speed(weights, RateSeries(0, (90.0,))), root)
    save_speed(speed("whale-weights", RateSeries(0, (20.0, 30.0, 40.0))), root)
    loss = loss_of(model, tmp_path)
    assert isinstance(loss, MeasuredLoss)
    assert "2026-11-23" in loss.method
    assert loss.bars[2].text == "3.0 times as fast, disturbed"
    assert "with a 4-bit KV cache" in loss.other_results
    assert loss.study == ""


def test_only_the_latest_result_on_a_text_counts(model: Path, weights: str, tmp_path: Path) -> None:
    """Earlier ones are not listed as other results."""
    for day, answers in (("01", "key"), ("02", "other key")):
        created = f"2026-12-{day}T10:00:00+00:00"
        measured = result(NAME, candidate_weights=weights, reference_key=answers, created=created)
        save_fidelity(measured, tmp_path / "measurements")
    loss = loss_of(model, tmp_path)
    assert isinstance(loss, MeasuredLoss)
    assert "2026-12-02" in loss.method
    assert loss.other_results == ""


def test_the_study_with_the_model_is_named(model: Path, weights: str, tmp_path: Path) -> None:
    """It is named even if the original was deleted."""
    measured = result(NAME, candidate_weights=weights)
    save_fidelity(measured, tmp_path / "measurements")
    write_study(tmp_path, Row(label=NAME, path=str(model), fidelity=(measured,)))
    loss = loss_of(model, tmp_path)
    assert loss.study == "Whales"
    assert isinstance(loss, MeasuredLoss)
    assert loss.method.endswith("Study: “Whales”.")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"failures": (StepFailure("fidelity", "Another vocabulary", "Choose another."),)},
            "failed in the study “Whales”",
        ),
        ({"is_original": True}, "is the original"),
        ({"is_stand_in": True}, "replaces the original"),
        ({}, "Waiting to measure"),
    ],
)
def test_a_study_without_a_result_gives_the_reason(
    changes: dict[str, object], reason: str, model: Path, tmp_path: Path
) -> None:
    """The loss names the study, so that a link can open it."""
    row = msgspec.structs.replace(Row(label=NAME, path=str(model)), **changes)
    write_study(tmp_path, row)
    loss = loss_of(model, tmp_path)
    assert reason in loss.sentence
    assert loss.study == "Whales"
