"""Where tokens are on the screen, in scripts of every kind."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from app.views.tokens.layout import TokenLayout
from app.views.tokens.paragraphs import BEFORE
from tests.app.token_texts import read, token


def laid_out(*texts: str, before: str = "Small", width: float = 300) -> TokenLayout:
    font = QFont()
    font.setPixelSize(15)
    return TokenLayout(read(*map(token, texts), before=before), font, width)


@pytest.fixture(autouse=True)
def _fonts(qapp: QApplication) -> None:
    """Fonts need an application."""


def test_every_token_is_where_it_is_pointed_at() -> None:
    """Over several lines, each point inside of a token leads back to it."""
    layout = laid_out(*([" boats", " and", " storms"] * 12), width=120)
    assert len(layout.lines) > 3
    for cell in range(len(layout.cells)):
        assert layout.cell_at(layout.rects_of(cell)[0].center()) == cell


def test_what_is_not_scored_cannot_be_pointed_at() -> None:
    layout = laid_out(" boats", before="Small and old")
    before = next(rect for cell, rect in layout.rects(0) if cell == BEFORE)
    assert layout.cell_at(before.center()) is None
    assert layout.cell_at(QPointF(5, layout.height + 50)) is None


def test_the_space_before_a_word_is_not_tinted() -> None:
    """Or neighbours would grow into one block; white space that is a token of its own is."""
    first, second = (laid_out(text, before="").rects_of(0)[0] for text in ("boats", " boats"))
    assert second.width() == pytest.approx(first.width(), abs=1)
    assert laid_out("    ", before="").rects_of(0)[0].width() > 8


def test_pieces_of_one_character_are_one_cell() -> None:
    """Its tokens have no text but the last; a character outside of the first plane counts as Qt counts."""
    layout = laid_out(" of", "", "", "🚢", " and", before="A kind")
    assert [list(cell.tokens) for cell in layout.cells] == [[0], [1, 2, 3], [4]]
    assert layout.cell_of(2) == 1
    assert layout.cell_at(layout.rects_of(2)[0].center()) == 2


def test_a_text_that_ends_within_a_character_is_whole() -> None:
    layout = laid_out(" of", "")
    assert layout.cell_of(1) == 1
    assert layout.rects_of(1) == []


def test_a_new_line_that_was_scored_is_seen() -> None:
    layout = laid_out(" end", ".\n\n", "Next")
    assert len(layout.lines) == 3
    assert len(layout.rects_of(1)) == 2


def test_arabic_runs_from_right_to_left() -> None:
    """The first word stands at the right edge, the next to the left of it; letters join across tokens."""
    layout = laid_out("في", " قرى", " عُمان", before="", width=400)
    first, second, third = (layout.rects_of(cell)[0] for cell in range(3))
    assert first.right() == pytest.approx(400, abs=2)
    assert first.left() > second.right() - 1 > second.left() > third.right() - 1
    whole, torn = laid_out("مدينة", before=""), laid_out("مدي", "نة", before="")
    assert sum(rect.width() for cell in (0, 1) for rect in torn.rects_of(cell)) == pytest.approx(
        whole.rects_of(0)[0].width(), abs=2
    )


def test_a_word_from_the_left_in_a_text_from_the_right_keeps_its_place() -> None:
    layout = laid_out("نموذج", " Whale", " صغير", before="", width=400)
    places = [layout.rects_of(cell)[0].center().x() for cell in range(3)]
    assert places == sorted(places, reverse=True)


def test_figures_in_a_text_from_the_right_are_whole() -> None:
    """They run from left to right: places do not overlap, and each is as wide as the same words elsewhere."""
    words = ("שלום", " עולם", " 123", " abc")
    layout = laid_out(*words, before="", width=400)
    rects = [layout.rects_of(cell)[0] for cell in range(len(words))]
    for word, rect in list(zip(words, rects, strict=True))[2:]:
        assert rect.width() == pytest.approx(laid_out(word, before="").rects_of(0)[0].width(), abs=1)
    for one, other in pairwise(rects):
        assert one.left() >= other.right() - 0.5


def test_what_would_turn_the_line_is_spelt_out() -> None:
    """A mark of direction, hidden in a token, leaves all others in their order."""
    layout = laid_out("photo", "\u202e", "gnp", ".exe", before="", width=600)
    places = [layout.rects_of(cell)[0].left() for cell in range(4)]
    assert places == sorted(places)
    assert layout.rects_of(1)[0].width() > 40


def test_a_token_of_thousands_of_letters_is_cut() -> None:
    """The lines after it are not far away."""
    assert len(laid_out("x" * 10_000, "\n", "end", before="y" * 10).lines) < 30


def test_white_space_of_its_own_is_seen() -> None:
    """Each blank and each tab has its place, also where the token ends the line."""
    layout = laid_out("    ", "if", "\t\t", " \n", "x y", before="")
    assert [is_tab for _, is_tab in layout.blanks(0)] == [False] * 4 + [True] * 2 + [False]
    assert list(layout.blanks(1)) == []


def test_chinese_breaks_anywhere() -> None:
    """There are no spaces to break at."""
    layout = laid_out(*"他们没有钱买一条新船所以只好等到春天", before="", width=100)
    assert len(layout.lines) > 2
    assert all(rect.right() <= 101 for number in range(len(layout.lines)) for _, rect in layout.rects(number))
