"""Tests of the quality loss as sentences and bars."""

from app.viewmodels.library.loss import Speedup, describe_loss
from tests.app.token_texts import fidelity, result


def test_a_sentence_and_three_bars() -> None:
    """A fuller bar is better; the speed of the original is a mark on its bar."""
    loss = describe_loss(result("maker/Whale-4bit"), Speedup(2.0))
    assert loss.sentence == "About 15 of 100 next words differ from the original; close."
    agreement, distance, faster = loss.bars
    assert (agreement.text, agreement.share) == ("85.1%", 0.851)
    assert distance.text == "0.0430 · close"
    assert faster.text == "2.0 times as fast"
    assert faster.share == 2 * faster.mark


def test_a_smaller_distance_is_a_fuller_bar() -> None:
    shares = [describe_loss(result("x", fidelity=fidelity(mean_kl=kl)), None).bars[1].share for kl in (0, 1e-3, 0.1, 9)]
    assert shares[:2] == [1.0, 1.0]
    assert 0.0 < shares[2] < 1.0
    assert shares[3] == 0.0


def test_a_model_card_section_describes_the_method() -> None:
    """It has figures with errors, original, text, date and machine."""
    section = describe_loss(result("maker/Whale-4bit"), Speedup(2.0)).markdown
    assert "| Top-1 agreement | 85.1 ± 0.4% |" in section
    assert "| Mean KL | 0.0430 ± 0.0020 nats (close) |" in section
    assert "Compared with Whale at 1,000 positions of Facet's texts, 2026-11-23 on Apple M3." in section


def test_a_replaced_original_makes_the_loss_a_lower_bound() -> None:
    assert "at least" in describe_loss(result("maker/Whale-4bit", is_stand_in=True), None).sentence


def test_other_results_are_summarized() -> None:
    """They differ in KV cache precision, text or original; after three, only the number of the rest is given."""
    bits = result("x", cache_bits=4, fidelity=fidelity(mean_kl=9.36))
    text = result("x", corpus="wikitext-2@c0ffee1234567890", fidelity=fidelity(mean_kl=0.061))
    other = result("x", reference="maker/Dolphin", reference_key="other", fidelity=fidelity(mean_kl=0.5))
    loss = describe_loss(result("x"), None, [bits, text, other, bits, bits])
    assert loss.other_results == (
        "Other results: mean KL 9.36 with a 4-bit KV cache; mean KL 0.0610 on wikitext-2@c0ffee1234; "
        "mean KL 0.500 against Dolphin; and 2 more."
    )
    assert describe_loss(result("x"), None).other_results == ""


def test_the_kinds_of_text_are_named() -> None:
    assert "of Facet's texts (code, prose)" in describe_loss(result("x", corpus="facet:code+prose"), None).method


def test_a_disturbed_speed_is_marked() -> None:
    assert describe_loss(result("x"), Speedup(2.0, is_disturbed=True)).bars[2].text.endswith(", disturbed")
