"""The colours of divergences."""

import pytest
from PySide6.QtGui import QColor

from app.views.kit.palette import DARK, LIGHT
from app.views.tokens.scale import LEAST, MOST, KlScale, share


def luminance(colour: QColor) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("is_dark", [False, True])
def test_text_can_be_read_on_every_tint(*, is_dark: bool) -> None:
    """With the contrast that WCAG 2 asks of text, 4.5."""
    scale, text = KlScale(is_dark=is_dark), (DARK if is_dark else LIGHT).text
    assert min(contrast(scale.at(step / 20), text) for step in range(21)) >= 4.5


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_greater_divergence_is_farther_from_the_ground(*, is_dark: bool) -> None:
    """By lightness alone, for people who see few colours."""
    scale = KlScale(is_dark=is_dark)
    steps = [luminance(scale.at(step / 10)) for step in range(11)]
    assert steps == sorted(steps, reverse=not is_dark)
    assert len(set(steps)) == len(steps)


def test_what_is_lost_in_rounding_has_no_tint() -> None:
    assert KlScale(is_dark=False).colour(LEAST / 2) is None
    assert (share(LEAST), share(MOST), share(100 * MOST)) == (0.0, 1.0, 1.0)
