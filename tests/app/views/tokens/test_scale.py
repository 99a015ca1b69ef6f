"""Tests of the color scale of KL divergence."""

import pytest
from PySide6.QtGui import QColor

from app.views.kit.palette import DARK, LIGHT
from app.views.tokens.scale import MAX_KL, MIN_KL, KlScale, share


def luminance(color: QColor) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = (color.redF(), color.greenF(), color.blueF())
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: QColor, second: QColor) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("is_dark", [False, True])
def test_text_is_legible_on_every_tint(*, is_dark: bool) -> None:
    """The contrast is at least 4.5, as WCAG 2 requires for text."""
    scale, text = KlScale(is_dark=is_dark), (DARK if is_dark else LIGHT).text
    assert min(contrast(scale.at(step / 20), text) for step in range(21)) >= 4.5


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_higher_divergence_has_more_contrast(*, is_dark: bool) -> None:
    """By lightness alone, for color blindness."""
    scale = KlScale(is_dark=is_dark)
    steps = [luminance(scale.at(step / 10)) for step in range(11)]
    assert steps == sorted(steps, reverse=not is_dark)
    assert len(set(steps)) == len(steps)


def test_rounding_errors_have_no_tint() -> None:
    assert KlScale(is_dark=False).color(MIN_KL / 2) is None
    assert (share(MIN_KL), share(MAX_KL), share(100 * MAX_KL)) == (0.0, 1.0, 1.0)
