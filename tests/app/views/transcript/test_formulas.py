import pytest
from pytestqt.qtbot import QtBot

from app.views.transcript.formulas import drawn
from app.views.transcript.kit import Kit
from app.views.transcript.segments import Segments


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{a}{b}", r"\sum_{x \in \mathcal{V}} P(x)", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
        r"f(x) = \begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", r"\left\lfloor \frac{w}{s} \right\rceil",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}", r"\operatorname{softmax}(x)", "100\\%",
    ],
)  # fmt: skip
def test_common_formulas_are_drawn(latex: str) -> None:
    """They have a size, and stand on a baseline."""
    formula = drawn(latex, display=True)
    assert formula is not None
    assert formula.width > 0.3
    assert formula.ascent > 0.3
    assert formula.descent > -0.5


@pytest.mark.parametrize("latex", [r"\frac{", "x^{", "", r"\nosuchcommand{x}", "{" * 500, "x" * 5000])
def test_what_cannot_be_drawn_is_no_error(latex: str) -> None:
    """It is shown as LaTeX then."""
    assert drawn(latex, display=False) is None


def test_formulas_stand_in_the_text_and_copy_as_latex(qtbot: QtBot, kit: Kit, answer: Segments) -> None:
    """A drawn formula is one object; copied it is its source between dollars."""
    answer.append("So $x^2$ 🎉 and\n\n$$ y $$")
    (text,) = answer.texts
    qtbot.waitUntil(lambda: "\ufffc" in text.toPlainText())
    kit.finish()
    assert text.toPlainText() == "So \ufffc 🎉 and\n\ufffc"
    text.selectAll()
    assert text.selected_text() == "So $x^2$ 🎉 and\n$$y$$"


def test_a_formula_that_fails_stays_latex(kit: Kit, answer: Segments) -> None:
    """It looks like code."""
    answer.append(r"So $\nosuchcommand{x}$ it is")
    kit.finish()
    (text,) = answer.texts
    assert text.toPlainText() == r"So \nosuchcommand{x} it is"
