"""Tests of token positions, in all kinds of scripts."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from app.views.tokens.layout import TokenLayout
from app.views.tokens.paragraphs import BEFORE
from tests.app.token_texts import read, token


def make_layout(*texts: str, before: str = "Small", width: float = 300) -> TokenLayout:
    font = QFont()
    font.setPixelSize(15)
    return TokenLayout(read(*map(token, texts), before=before), font, width)


@pytest.fixture(autouse=True)
def _fonts(qapp: QApplication) -> None:
    """Fonts need an application."""


def test_each_point_of_a_token_leads_to_it() -> None:
    """Even across several lines."""
    layout = make_layout(*([" boats", " and", " storms"] * 12), width=120)
    assert len(layout.lines) > 3
    for cell in range(len(layout.cells)):
        assert layout.cell_at(layout.rects_of(cell)[0].center()) == cell


def test_unscored_text_has_no_cells() -> None:
    layout = make_layout(" boats", before="Small and old")
    before = next(rect for cell, rect in layout.rects(0) if cell == BEFORE)
    assert layout.cell_at(before.center()) is None
    assert layout.cell_at(QPointF(5, layout.height + 50)) is None


def test_the_space_before_a_word_is_not_tinted() -> None:
    """Otherwise neighbors would merge; a token of white space only is tinted."""
    first, second = (make_layout(text, before="").rects_of(0)[0] for text in ("boats", " boats"))
    assert second.width() == pytest.approx(first.width(), abs=1)
    assert make_layout("    ", before="").rects_of(0)[0].width() > 8


def test_pieces_of_one_character_are_one_cell() -> None:
    """Only the last token has text; a character outside the basic plane counts as two."""
    layout = make_layout(" of", "", "", "🚢", " and", before="A kind")
    assert [list(cell.tokens) for cell in layout.cells] == [[0], [1, 2, 3], [4]]
    assert layout.cell_of(2) == 1
    assert layout.cell_at(layout.rects_of(2)[0].center()) == 2


def test_a_text_that_ends_within_a_character_is_complete() -> None:
    layout = make_layout(" of", "")
    assert layout.cell_of(1) == 1
    assert layout.rects_of(1) == []


def test_a_scored_line_break_is_visible() -> None:
    layout = make_layout(" end", ".\n\n", "Next")
    assert len(layout.lines) == 3
    assert len(layout.rects_of(1)) == 2


def test_arabic_runs_from_right_to_left() -> None:
    """The first word is at the right edge, the next one to its left; letters join across tokens."""
    layout = make_layout("في", " قرى", " عُمان", before="", width=400)
    first, second, third = (layout.rects_of(cell)[0] for cell in range(3))
    assert first.right() == pytest.approx(400, abs=2)
    assert first.left() > second.right() - 1 > second.left() > third.right() - 1
    whole, torn = make_layout("مدينة", before=""), make_layout("مدي", "نة", before="")
    assert sum(rect.width() for cell in (0, 1) for rect in torn.rects_of(cell)) == pytest.approx(
        whole.rects_of(0)[0].width(), abs=2
    )


def test_a_left_to_right_word_in_right_to_left_text_keeps_its_place() -> None:
    layout = make_layout("نموذج", " Whale", " صغير", before="", width=400)
    positions = [layout.rects_of(cell)[0].center().x() for cell in range(3)]
    assert positions == sorted(positions, reverse=True)


def test_numbers_in_right_to_left_text_do_not_overlap() -> None:
    """They run from left to right, with the same width as elsewhere."""
    words = ("שלום", " עולם", " 123", " abc")
    layout = make_layout(*words, before="", width=400)
    rects = [layout.rects_of(cell)[0] for cell in range(len(words))]
    for word, rect in list(zip(words, rects, strict=True))[2:]:
        assert rect.width() == pytest.approx(make_layout(word, before="").rects_of(0)[0].width(), abs=1)
    for first, second in pairwise(rects):
        assert first.left() >= second.right() - 0.5


def test_direction_marks_are_spelled_out() -> None:
    """A hidden direction mark does not change the order of tokens."""
    layout = make_layout("photo", "\u202e", "gnp", ".exe", before="", width=600)
    positions = [layout.rects_of(cell)[0].left() for cell in range(4)]
    assert positions == sorted(positions)
    assert layout.rects_of(1)[0].width() > 40


def test_a_very_long_token_is_cut() -> None:
    """The next lines stay near."""
    assert len(make_layout("x" * 10_000, "\n", "end", before="y" * 10).lines) < 30


def test_white_space_tokens_are_visible() -> None:
    """Each space and tab has a position, also at the end of a line."""
    layout = make_layout("    ", "if", "\t\t", " \n", "x y", before="")
    assert [is_tab for _, is_tab in layout.blanks(0)] == [False] * 4 + [True] * 2 + [False]
    assert list(layout.blanks(1)) == []


def test_chinese_breaks_anywhere() -> None:
    """Chinese has no spaces to break at. Without a Chinese font, the placeholders are narrow, so the text is long."""
    layout = make_layout(*"他们没有钱买一条新船所以只好等到春天" * 4, before="", width=100)
    assert len(layout.lines) > 2
    assert all(rect.right() <= 101 for number in range(len(layout.lines)) for _, rect in layout.rects(number))
