"""Behaviour of measuring speed; how fast anything is, benchmarks say."""

from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.measure.fingerprints import Fingerprints
from mlx_engine.measure.speed import measure_speed
from mlx_engine.measure.speed_result import Series, SpeedPlan, SpeedResult


@pytest.fixture(scope="module")
def result(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeedResult:
    plan = SpeedPlan(prompts=(32, 64, 4096), depths=(0, 64, 2048), decode_tokens=8, repetitions=2)
    known = Fingerprints(tmp_path_factory.mktemp("speed") / "fingerprints.json")
    *_, last = measure_speed(tiny_models / "llama", plan, name="tiny/llama", known=known)
    assert last.result is not None
    return last.result


def test_reading_and_decoding_are_measured_at_each_length(result: SpeedResult) -> None:
    """As often as the plan says, with a rate each."""
    assert [series.tokens for series in result.reading] == [32, 64]
    assert [series.tokens for series in result.decoding] == [0, 64]
    assert all(len(series.values) == 2 and min(series.values) > 0 for series in (*result.reading, *result.decoding))


def test_what_does_not_fit_the_context_is_left_out_and_told(result: SpeedResult) -> None:
    """The model has a context of 2,048 tokens."""
    assert result.skipped == (
        "a prompt of 4,096 tokens, which is longer than the context",
        "decoding after 2,048 tokens, which is beyond the context",
    )


def test_the_first_load_is_told_apart_from_the_second(result: SpeedResult) -> None:
    """One may have to read from the disk."""
    assert len(result.load_s) == 2
    assert min(result.load_s) > 0


def test_the_memory_is_at_least_that_of_the_weights(result: SpeedResult, tiny_models: Path) -> None:
    """They were there while it was measured."""
    assert result.peak_memory_bytes > (tiny_models / "llama" / "model.safetensors").stat().st_size


def test_values_far_apart_are_disturbed() -> None:
    """A fifth between the extremes is more than one machine at rest shows."""
    assert Series(128, (100.0, 99.0, 60.0)).is_disturbed
    assert not Series(128, (100.0, 99.0, 95.0)).is_disturbed


def test_a_broken_model_is_told(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BrokenModel):
        next(measure_speed(tmp_path, SpeedPlan(), name="broken", known=Fingerprints(tmp_path / "f.json")))
