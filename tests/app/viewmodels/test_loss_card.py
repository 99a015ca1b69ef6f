"""What a quantization has lost, in words and bars."""

from pathlib import Path

import pytest

from app.viewmodels.loss_card import described, loss_of
from mlx_engine.measure.results import fingerprints, keep_fidelity, keep_speed
from mlx_engine.measure.speed_result import Series, SpeedPlan, SpeedResult
from tests.app.fake_models import make_model
from tests.app.token_texts import fidelity, result


def speed(weights: str, rate: float) -> SpeedResult:
    """Return a speed of so many tokens per second."""
    return SpeedResult(
        model="",
        weights=weights,
        plan=SpeedPlan(),
        load_s=(1.0,),
        reading=(),
        decoding=(Series(0, (rate,)),),
        peak_memory_bytes=1,
    )


def test_a_sentence_and_three_bars() -> None:
    """The fuller a bar, the better; the speed of the original is a mark on its bar."""
    loss = described(result("maker/Whale-4bit"), 2.0)
    assert loss.sentence == "About 15 of 100 next words differ from the original; close."
    same, distance, faster = loss.bars
    assert (same.words, same.share) == ("85.1 %", 0.851)
    assert distance.words == "close · KL 0.043"
    assert faster.words == "2.0 times the original's"
    assert faster.share == 2 * faster.mark


def test_a_smaller_distance_is_a_fuller_bar() -> None:
    shares = [described(result("x", fidelity=fidelity(mean_kl=kl)), None).bars[1].share for kl in (0, 1e-3, 0.1, 9)]
    assert shares[:2] == [1.0, 1.0]
    assert 0.0 < shares[2] < 1.0
    assert shares[3] == 0.0


def test_a_section_for_a_model_card_says_how_it_was_measured() -> None:
    """Figures with their errors, against what, on which text, when and where."""
    section = described(result("maker/Whale-4bit"), 2.0).markdown
    assert "| Same next word | 85.1 ± 0.4 % |" in section
    assert "| Mean KL divergence | 0.0430 ± 0.0020 (close) |" in section
    assert "Against Whale, 1,000 places in Facet's texts, 2026-11-23 on Apple M3." in section


def test_a_stand_in_makes_it_a_lower_bound() -> None:
    assert "at least" in described(result("maker/Whale-4bit", is_stand_in=True), None).sentence


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "models", "maker/Whale-4bit")


def test_what_was_never_measured_has_no_card(model: Path, tmp_path: Path) -> None:
    assert loss_of(model, tmp_path / "measurements") is None


def test_kept_results_are_found_by_the_weights(model: Path, tmp_path: Path) -> None:
    """With a whole context before one of fewer bits; and the speed of both, where it was measured."""
    root = tmp_path / "measurements"
    weights = fingerprints(root).of(model)
    keep_fidelity(result("maker/Whale-4bit", candidate_weights=weights), root)
    late = "2026-12-01T10:00:00+00:00"
    keep_fidelity(result("maker/Whale-4bit", candidate_weights=weights, cache_bits=4, created=late), root)
    keep_speed(speed(weights, 90), root)
    keep_speed(speed("whale-weights", 30), root)
    loss = loss_of(model, root)
    assert loss
    assert "2026-11-23" in loss.how
    assert loss.bars[2].words == "3.0 times the original's"
