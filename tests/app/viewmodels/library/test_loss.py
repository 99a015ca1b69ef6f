"""The loss of a quantization as sentences and bars."""

from app.viewmodels.library.loss import Speedup, describe_loss
from tests.app.token_texts import fidelity, result


def test_a_sentence_and_three_bars() -> None:
    """The fuller a bar, the better; the speed of the original is a mark on its bar."""
    loss = describe_loss(result("maker/Whale-4bit"), Speedup(2.0))
    assert loss.sentence == "About 15 of 100 next words differ from the original; close."
    agreement, distance, faster = loss.bars
    assert (agreement.words, agreement.share) == ("85.1%", 0.851)
    assert distance.words == "0.0430 · close"
    assert faster.words == "2.0 times as fast"
    assert faster.share == 2 * faster.mark


def test_a_smaller_distance_is_a_fuller_bar() -> None:
    shares = [describe_loss(result("x", fidelity=fidelity(mean_kl=kl)), None).bars[1].share for kl in (0, 1e-3, 0.1, 9)]
    assert shares[:2] == [1.0, 1.0]
    assert 0.0 < shares[2] < 1.0
    assert shares[3] == 0.0


def test_a_section_for_a_model_card_says_how_it_was_measured() -> None:
    """Figures with their errors, against what, on which text, when and where."""
    section = describe_loss(result("maker/Whale-4bit"), Speedup(2.0)).markdown
    assert "| Top-1 agreement | 85.1 ± 0.4% |" in section
    assert "| Mean KL | 0.0430 ± 0.0020 nats (close) |" in section
    assert "Compared with Whale at 1,000 positions of Facet's texts, 2026-11-23 on Apple M3." in section


def test_a_stand_in_makes_it_a_lower_bound() -> None:
    assert "at least" in describe_loss(result("maker/Whale-4bit", is_stand_in=True), None).sentence


def test_what_else_was_measured_is_told() -> None:
    """On another text, in another precision of the context, against another original; of many, how many more."""
    bits = result("x", cache_bits=4, fidelity=fidelity(mean_kl=9.36))
    text = result("x", corpus="wikitext-2@c0ffee1234567890", fidelity=fidelity(mean_kl=0.061))
    other = result("x", reference="maker/Dolphin", reference_key="other", fidelity=fidelity(mean_kl=0.5))
    loss = describe_loss(result("x"), None, [bits, text, other, bits, bits])
    assert loss.others == (
        "Other results: mean KL 9.36 with a 4-bit KV cache; mean KL 0.0610 on wikitext-2@c0ffee1234; "
        "mean KL 0.500 against Dolphin; and 2 more."
    )
    assert describe_loss(result("x"), None).others == ""


def test_a_part_of_the_corpus_is_named() -> None:
    assert "of Facet's texts (code, prose)" in describe_loss(result("x", corpus="facet:code+prose"), None).how


def test_a_disturbed_speed_is_marked() -> None:
    assert describe_loss(result("x"), Speedup(2.0, is_disturbed=True)).bars[2].words.endswith(", disturbed")
