"""LaTeX for ziamath, and formulas as text."""

import pytest

from app.views.transcript.latex import as_text, prepare


@pytest.mark.parametrize(
    ("latex", "prepared"),
    [
        (r"\begin{pmatrix}1\end{pmatrix}^{-1}", r"{\begin{pmatrix}1\end{pmatrix}}^{-1}"),
        (r"\begin{vmatrix}1\end{vmatrix} _2", r"{\begin{vmatrix}1\end{vmatrix}} _2"),
        (
            r"\begin{bmatrix}\begin{matrix}1\end{matrix}^2\end{bmatrix}^T",
            r"{\begin{bmatrix}{\begin{matrix}1\end{matrix}}^2\end{bmatrix}}^T",
        ),
        (r"\begin{cases}x\end{cases}", r"\begin{cases}x\end{cases}"),
        (r"\end{cases}^2", r"\end{cases}^2"),
        (
            r"\begin{array}{c|c}a&b\\c&d\end{array}",
            r"\begin{array}{ccc}a & \vert & b \\ c & \vert & d\end{array}",
        ),
        (r"\begin{array}{|l|}a\\\end{array}", r"\begin{array}{clc}\vert & a & \vert\end{array}"),
        (r"\begin{array}{cc}a&b\end{array}", r"\begin{array}{cc}a&b\end{array}"),
    ],
)
def test_exponents_of_environments_and_bars_of_arrays_are_rewritten(latex: str, prepared: str) -> None:
    assert prepare(latex) == prepared


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\text{面积} = \text{长} \times \text{宽}", "面积 = 长 \u00d7 宽"),
        (r"\frac{\text{距离}}{\text{时间}}", "距离 / 时间"),
        (r"\text{שלום עולם}", "שלום עולם"),
        (r"面积 \approx 5\,\text{米}", "面积 ≈ 5 米"),
        (r"\sum_{i} \text{面积}", None),
        (r"\text{面积}^2", None),
        (r"\unknown{x}", None),
    ],
)
def test_words_with_simple_operators_have_a_text(latex: str, text: str | None) -> None:
    assert as_text(latex) == text
