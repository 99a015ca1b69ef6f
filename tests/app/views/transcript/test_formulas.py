import pytest
from pytestqt.qtbot import QtBot

from app.views.transcript.block_view import BlockView
from app.views.transcript.formulas import draw_formula
from app.views.transcript.services import TranscriptServices


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{a}{b}", r"\sum_{x \in \mathcal{V}} P(x)", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
        r"f(x) = \begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", r"\left\lfloor \frac{w}{s} \right\rceil",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\operatorname{softmax}(x)", "100\\%",
    ],
)  # fmt: skip
def test_common_formulas_are_drawn(latex: str) -> None:
    """Drawings have a size and a baseline."""
    formula = draw_formula(latex, display=True)
    assert formula is not None
    assert formula.width > 0.3
    assert formula.ascent > 0.3
    assert formula.descent > -0.5


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}^{-1}",
        r"\left[\begin{array}{cc|c}1&2&3\\4&5&6\end{array}\right]_2",
        r"\begin{cases}x&y\\z&w\end{cases}",
        r"\text{Größe}",
    ],
)
def test_environments_with_exponents_and_bars_are_drawn(latex: str) -> None:
    assert draw_formula(latex, display=True) is not None


@pytest.mark.parametrize("word", ["面积", "שלום", "สวัสดี", "नमस्ते", "😀", "مرحبا"])
def test_letters_that_the_font_lacks_are_not_drawn_as_boxes(word: str) -> None:
    assert draw_formula(rf"\text{{{word}}} + x^2", display=True) is None


@pytest.mark.parametrize("latex", [r"\frac{", "x^{", "", r"\nosuchcommand{x}", "{" * 500, "x" * 5000])
def test_invalid_latex_has_no_drawing(latex: str) -> None:
    """The LaTeX is shown instead."""
    assert draw_formula(latex, display=False) is None


def test_formulas_are_objects_in_the_text_and_copy_as_latex(
    qtbot: QtBot, services: TranscriptServices, answer: BlockView
) -> None:
    """A formula is one character; the clipboard gets its source between dollar signs."""
    answer.append("So $x^2$ 🎉 and\n\n$$ y $$")
    (text,) = answer.texts
    qtbot.waitUntil(lambda: "\ufffc" in text.toPlainText())
    services.finish()
    assert text.toPlainText() == "So \ufffc 🎉 and\n\ufffc"
    text.selectAll()
    assert text.selected_text() == "So $x^2$ 🎉 and\n$$y$$"


def test_a_formula_without_drawing_stays_latex(services: TranscriptServices, answer: BlockView) -> None:
    """The source is shown as code."""
    answer.append(r"So $\nosuchcommand{x}$ it is")
    services.finish()
    (text,) = answer.texts
    assert text.toPlainText() == r"So \nosuchcommand{x} it is"


def test_words_that_cannot_be_drawn_are_text(services: TranscriptServices, answer: BlockView) -> None:
    """Two words stay two words."""
    answer.append(r"So $\text{面积} = \text{长} \times \text{宽}$ it is")
    services.finish()
    (text,) = answer.texts
    assert text.toPlainText() == "So 面积 = 长 \u00d7 宽 it is"
