"""Behaviour of measuring speed; how fast anything is, benchmarks say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, EngineError, InvalidParameter, OutOfMemory
from mlx_engine.measure.mlx.speed import Bench, SpeedUpdate, measure_speed, repeat
from mlx_engine.measure.results.conditions import ConditionsMonitor
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.speed_parts import SpeedPart
from mlx_engine.measure.results.speed_result import Series, SpeedPlan, SpeedResult, is_disturbed

_small = SpeedPlan(prompts=(32,), depths=(0,), decode_tokens=4, repetitions=1)


def _measured(
    path: Path, plan: SpeedPlan, tmp_path: Path, watch: ConditionsMonitor | None = None
) -> Iterator[SpeedUpdate]:
    known = Fingerprints(tmp_path / "fingerprints.json")
    return measure_speed(path, plan, name=f"tiny/{path.name}", known=known, watch=watch)


def _result(path: Path, plan: SpeedPlan, tmp_path: Path, watch: ConditionsMonitor | None = None) -> SpeedResult:
    *_, last = _measured(path, plan, tmp_path, watch)
    assert last.so_far is not None
    return last.so_far


@pytest.fixture(scope="module")
def result(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeedResult:
    plan = SpeedPlan(prompts=(64, 32, 64, 4096), depths=(64, 0, 2048), decode_tokens=8, repetitions=2)
    return _result(tiny_models / "llama", plan, tmp_path_factory.mktemp("speed"))


def test_reading_and_decoding_are_measured_at_each_length(result: SpeedResult) -> None:
    """As often as the plan says, with a rate each, each length once, the shortest first."""
    assert [series.tokens for series in result.reading] == [32, 64]
    assert [series.tokens for series in result.decoding] == [0, 64]
    assert all(len(series.values) == 2 and min(series.values) > 0 for series in (*result.reading, *result.decoding))


def test_what_does_not_fit_the_context_is_left_out_and_told(result: SpeedResult) -> None:
    """The model has a context of 2,048 tokens."""
    assert result.skipped == (
        "decoding after 2,048 tokens, which is beyond the model's context of 2,048 tokens",
        "reading 4,096 tokens, which is beyond the model's context of 2,048 tokens",
    )


def test_a_cold_load_is_told_apart_from_a_warm_one(result: SpeedResult) -> None:
    """By what the system held in memory of the files, where it says so."""
    assert len(result.load_s) == 2
    assert min(result.load_s) > 0
    assert result.held_share is None or 0 <= result.held_share <= 1


def test_each_figure_has_a_peak_of_its_own_above_the_weights(result: SpeedResult, tiny_models: Path) -> None:
    """They were there while it was measured; the whole has the highest."""
    peaks = [series.peak_memory_bytes for series in (*result.reading, *result.decoding)]
    assert min(peaks) > (tiny_models / "llama" / "model.safetensors").stat().st_size
    assert result.peak_memory_bytes == max(peaks)


@pytest.mark.parametrize("name", ["gemma3", "lfm2", "mamba2"])
def test_every_kind_of_context_is_brought_back_to_where_it_was(name: str, tiny_models: Path, tmp_path: Path) -> None:
    """Sliding windows past their end, and states that cannot be undone: each repetition begins at the same depth."""
    plan = SpeedPlan(prompts=(), depths=(40,), decode_tokens=4, repetitions=3)
    (series,) = _result(tiny_models / name, plan, tmp_path).decoding
    assert len(series.values) in {3, 6}


def test_values_far_apart_are_disturbed() -> None:
    """A fifth between the extremes is more than one machine at rest shows."""
    assert Series(128, (100.0, 99.0, 60.0)).is_disturbed
    assert not Series(128, (100.0, 99.0, 95.0)).is_disturbed


def test_disturbed_values_are_taken_once_more() -> None:
    """And no more than once: what is still disturbed then, stays so."""
    rates = iter([100.0, 60.0, 99.0, 101.0, 100.0, 99.0])
    assert repeat(lambda: next(rates), 3) == (101.0, 100.0, 99.0)
    rates = iter([100.0, 60.0, 99.0, 101.0, 60.0, 99.0])
    assert is_disturbed(repeat(lambda: next(rates), 3))
    rates = iter([100.0, 99.0, 98.0])
    assert repeat(lambda: next(rates), 3) == (100.0, 99.0, 98.0)


def test_a_figure_that_runs_out_of_memory_leaves_the_others(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes more memory yet is not tried; here the longer prompts fail as Metal fails."""
    series = Bench.series

    def failing(bench: Bench, part: SpeedPart) -> Series:
        if part.tokens >= 64:
            raise RuntimeError("[METAL] Command buffer execution failed: Insufficient Memory")
        return series(bench, part)

    monkeypatch.setattr(Bench, "series", failing)
    plan = SpeedPlan(prompts=(32, 64, 128), depths=(0, 128), decode_tokens=4, repetitions=1)
    found = _result(tiny_models / "llama", plan, tmp_path)
    assert [len(found.reading), len(found.decoding)] == [1, 1]
    assert found.failures[0].startswith("reading 64 tokens: tiny/llama ran out of memory")
    assert found.skipped == (
        "reading 128 tokens, since the memory ran out before",
        "decoding after 128 tokens, since the memory ran out before",
    )


def test_a_model_of_which_nothing_can_be_measured_has_failed(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason of the first figure."""

    def failing(_bench: Bench, _part: SpeedPart) -> Series:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(Bench, "series", failing)
    with pytest.raises(EngineError, match="no kernel"):
        _result(tiny_models / "llama", _small, tmp_path)


def test_no_memory_is_used_that_is_not_free(tiny_models: Path, tmp_path: Path) -> None:
    """Nothing is loaded then: a measurement must not make the machine swap."""
    watch = ConditionsMonitor()
    watch.free_memory_bytes = 1000
    with pytest.raises(OutOfMemory, match="only 1 KB is free"):
        next(_measured(tiny_models / "llama", _small, tmp_path, watch))


def test_a_length_for_which_too_little_is_free_is_not_tried(tiny_models: Path, tmp_path: Path) -> None:
    """The shorter ones are; the sum is told."""
    watch = ConditionsMonitor()
    watch.free_memory_bytes = 4_000_000
    plan = SpeedPlan(prompts=(32, 1024), depths=(), decode_tokens=4, repetitions=1)
    found = _result(tiny_models / "llama", plan, tmp_path, watch)
    assert [series.tokens for series in found.reading] == [32]
    told = "reading 1,024 tokens, which needs "
    assert found.skipped[0].startswith(told)


class _Swapping(ConditionsMonitor):
    @property
    def swapped_bytes(self) -> int:
        return 2**30


def test_it_stops_when_the_machine_begins_to_swap(tiny_models: Path, tmp_path: Path) -> None:
    """What was found until then stays, and the conditions say so."""
    plan = SpeedPlan(prompts=(32, 64), depths=(), decode_tokens=4, repetitions=1)
    found = _result(tiny_models / "llama", plan, tmp_path, _Swapping())
    assert [series.tokens for series in found.reading] == [32]
    assert found.skipped == ("reading 64 tokens, since the machine began to swap",)
    assert "swap grew by 1 GB" in found.conditions.text


def test_what_is_under_way_is_told_with_what_was_found(tiny_models: Path, tmp_path: Path) -> None:
    """If the process dies in it, the rest is not lost."""
    told = list(_measured(tiny_models / "llama", _small, tmp_path))
    assert [progress.words for progress in told] == ["loading", "decoding", "reading 32 tokens", "done"]
    before_last = told[-2].so_far
    assert before_last is not None
    assert [before_last.reading, len(before_last.decoding)] == [(), 1]


def test_a_context_in_bits_that_are_not_possible_is_told(tiny_models: Path, tmp_path: Path) -> None:
    """The heads of this model cannot be cut into groups."""
    plan = SpeedPlan(prompts=(32,), depths=(), repetitions=1, cache_bits=8)
    with pytest.raises(InvalidParameter, match="16 bits"):
        _result(tiny_models / "llama", plan, tmp_path)


def test_a_broken_model_is_told(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BrokenModel):
        next(_measured(tmp_path, SpeedPlan(), tmp_path))
