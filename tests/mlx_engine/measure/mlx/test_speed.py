"""Measuring speed. Benchmarks check how fast anything is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, EngineError, InvalidParameter, OutOfMemory
from mlx_engine.measure.mlx.speed import Bench, SpeedUpdate, measure_speed, repeat
from mlx_engine.measure.results.conditions import ConditionsMonitor
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.speed_parts import SpeedPart
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult, is_disturbed

_small = SpeedPlan(prompts=(32,), depths=(0,), decode_tokens=4, repetitions=1)


def _measured(
    path: Path, plan: SpeedPlan, tmp_path: Path, monitor: ConditionsMonitor | None = None
) -> Iterator[SpeedUpdate]:
    fingerprints = Fingerprints(tmp_path / "fingerprints.json")
    return measure_speed(path, plan, name=f"tiny/{path.name}", fingerprint_cache=fingerprints, monitor=monitor)


def _result(path: Path, plan: SpeedPlan, tmp_path: Path, monitor: ConditionsMonitor | None = None) -> SpeedResult:
    *_, last = _measured(path, plan, tmp_path, monitor)
    assert last.so_far is not None
    return last.so_far


@pytest.fixture(scope="module")
def result(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeedResult:
    plan = SpeedPlan(prompts=(64, 32, 64, 4096), depths=(64, 0, 2048), decode_tokens=8, repetitions=2)
    return _result(tiny_models / "llama", plan, tmp_path_factory.mktemp("speed"))


def test_prefill_and_decoding_are_measured_at_each_length(result: SpeedResult) -> None:
    """With the planned repetitions, each length once, shortest first."""
    assert [series.tokens for series in result.prefill_rates] == [32, 64]
    assert [series.tokens for series in result.decode_rates] == [0, 64]
    assert all(
        len(series.values) == 2 and min(series.values) > 0 for series in (*result.prefill_rates, *result.decode_rates)
    )


def test_parts_beyond_the_context_length_are_skipped(result: SpeedResult) -> None:
    """The model's is 2,048 tokens."""
    assert result.skipped == (
        "decoding after 2,048 tokens, which exceeds the model's context length of 2,048 tokens",
        "prefill of 4,096 tokens, which exceeds the model's context length of 2,048 tokens",
    )


def test_both_loads_are_measured(result: SpeedResult) -> None:
    """With the share of the weights that was in the page cache, if known."""
    assert len(result.load_s) == 2
    assert min(result.load_s) > 0
    assert result.resident_share is None or 0 <= result.resident_share <= 1


def test_each_rate_has_its_peak_memory(result: SpeedResult, tiny_models: Path) -> None:
    """At least the weights; the result has the maximum."""
    peaks = [series.peak_memory_bytes for series in (*result.prefill_rates, *result.decode_rates)]
    assert min(peaks) > (tiny_models / "llama" / "model.safetensors").stat().st_size
    assert result.peak_memory_bytes == max(peaks)


@pytest.mark.parametrize("name", ["gemma3", "lfm2", "mamba2"])
def test_every_kind_of_context_can_be_rewound(name: str, tiny_models: Path, tmp_path: Path) -> None:
    """Including full sliding windows and recurrent states: each repetition starts at the same depth."""
    plan = SpeedPlan(prompts=(), depths=(40,), decode_tokens=4, repetitions=3)
    (series,) = _result(tiny_models / name, plan, tmp_path).decode_rates
    assert len(series.values) in {3, 6}


def test_a_large_spread_is_disturbed() -> None:
    """An idle machine varies by less than a fifth."""
    assert RateSeries(128, (100.0, 99.0, 60.0)).is_disturbed
    assert not RateSeries(128, (100.0, 99.0, 95.0)).is_disturbed


def test_disturbed_rates_are_measured_again() -> None:
    """Only once."""
    rates = iter([100.0, 60.0, 99.0, 101.0, 100.0, 99.0])
    assert repeat(lambda: next(rates), 3) == (101.0, 100.0, 99.0)
    rates = iter([100.0, 60.0, 99.0, 101.0, 60.0, 99.0])
    assert is_disturbed(repeat(lambda: next(rates), 3))
    rates = iter([100.0, 99.0, 98.0])
    assert repeat(lambda: next(rates), 3) == (100.0, 99.0, 98.0)


def test_running_out_of_memory_keeps_the_other_rates(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer parts are not tried. Here, the longer prompts fail as Metal fails."""
    series = Bench.series

    def failing(bench: Bench, part: SpeedPart) -> RateSeries:
        if part.tokens >= 64:
            raise RuntimeError("[METAL] Command buffer execution failed: Insufficient Memory")
        return series(bench, part)

    monkeypatch.setattr(Bench, "series", failing)
    plan = SpeedPlan(prompts=(32, 64, 128), depths=(0, 128), decode_tokens=4, repetitions=1)
    result = _result(tiny_models / "llama", plan, tmp_path)
    assert [len(result.prefill_rates), len(result.decode_rates)] == [1, 1]
    assert result.failures[0].startswith("prefill of 64 tokens: tiny/llama ran out of memory")
    assert result.skipped == (
        "prefill of 128 tokens, because memory ran out",
        "decoding after 128 tokens, because memory ran out",
    )


def test_a_model_without_any_rate_has_failed(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason of the first failure."""

    def failing(_bench: Bench, _part: SpeedPart) -> RateSeries:
        raise RuntimeError("no kernel")

    monkeypatch.setattr(Bench, "series", failing)
    with pytest.raises(EngineError, match="no kernel"):
        _result(tiny_models / "llama", _small, tmp_path)


def test_only_free_memory_is_used(tiny_models: Path, tmp_path: Path) -> None:
    """The model is not loaded if measuring would make the machine swap."""
    monitor = ConditionsMonitor()
    monitor.free_memory_bytes = 1000
    with pytest.raises(OutOfMemory, match="only 1 KB is free"):
        next(_measured(tiny_models / "llama", _small, tmp_path, monitor))


def test_a_length_that_exceeds_free_memory_is_skipped(tiny_models: Path, tmp_path: Path) -> None:
    """Shorter ones are measured."""
    monitor = ConditionsMonitor()
    monitor.free_memory_bytes = 4_000_000
    plan = SpeedPlan(prompts=(32, 1024), depths=(), decode_tokens=4, repetitions=1)
    result = _result(tiny_models / "llama", plan, tmp_path, monitor)
    assert [series.tokens for series in result.prefill_rates] == [32]
    assert result.skipped[0].startswith("prefill of 1,024 tokens, which needs ")


class _Swapping(ConditionsMonitor):
    @property
    def swapped_bytes(self) -> int:
        return 2**30


def test_swapping_ends_the_measurement(tiny_models: Path, tmp_path: Path) -> None:
    """The result so far is kept, and the conditions mention it."""
    plan = SpeedPlan(prompts=(32, 64), depths=(), decode_tokens=4, repetitions=1)
    result = _result(tiny_models / "llama", plan, tmp_path, _Swapping())
    assert [series.tokens for series in result.prefill_rates] == [32]
    assert result.skipped == ("prefill of 64 tokens, because the Mac started to swap",)
    assert "swap grew by 1 GB" in result.conditions.text


def test_progress_has_the_step_and_the_result_so_far(tiny_models: Path, tmp_path: Path) -> None:
    """If the process dies, the rest is not lost."""
    updates = list(_measured(tiny_models / "llama", _small, tmp_path))
    assert [update.step for update in updates] == ["loading", "decoding", "prefill of 32 tokens", "done"]
    before_last = updates[-2].so_far
    assert before_last is not None
    assert [before_last.prefill_rates, len(before_last.decode_rates)] == [(), 1]


def test_an_unsupported_cache_precision_is_reported(tiny_models: Path, tmp_path: Path) -> None:
    """The head size of this model is not divisible into groups."""
    plan = SpeedPlan(prompts=(32,), depths=(), repetitions=1, cache_bits=8)
    with pytest.raises(InvalidParameter, match="16 bits"):
        _result(tiny_models / "llama", plan, tmp_path)


def test_a_broken_model_is_reported(tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BrokenModel):
        next(_measured(tmp_path, SpeedPlan(), tmp_path))
