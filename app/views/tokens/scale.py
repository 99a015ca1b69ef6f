"""The colours that stand for a KL divergence: one way from the ground to a deep orange, even steps to the eye.

Colours between the stops are mixed in Oklab (B. Ottosson, https://bottosson.github.io/posts/oklab), where equal
distances look equal. Text in the theme's colour can be read on all of them.
"""

import math
from collections.abc import Sequence

from PySide6.QtGui import QColor

from app.views.kit.theme import Theme

LEAST, MOST = 0.01, 3.0
"""Nats: below, nothing is tinted, and above, nothing darker. Between, the scale is logarithmic."""
MARKS = (0.01, 0.1, 1.0)
"""What a legend names."""

_STEPS = 48
_LIGHT = ("#fff3dc", "#ffd596", "#ffaf68", "#f47d52")
_DARK = ("#33291c", "#5a3d16", "#85460f", "#ab4322")

Lab = tuple[float, float, float]


class KlScale:
    """The scale in one appearance."""

    def __init__(self, *, is_dark: bool) -> None:
        stops = [_to_lab(QColor(name)) for name in (_DARK if is_dark else _LIGHT)]
        self._colours = [_between(stops, step / (_STEPS - 1)) for step in range(_STEPS)]

    @classmethod
    def of(cls, theme: Theme) -> "KlScale":
        return cls(is_dark=theme.is_dark)

    def colour(self, kl: float) -> QColor | None:
        """Return the tint, None where there is too little to tint."""
        return self.at(share(kl)) if kl >= LEAST else None

    def at(self, part: float) -> QColor:
        """Return the colour at that part of the scale, from 0 to 1."""
        return self._colours[round(part * (_STEPS - 1))]


def share(kl: float) -> float:
    """Return where on the scale a divergence in nats is, from 0 to 1."""
    if kl <= LEAST:
        return 0.0
    return min(math.log(kl / LEAST) / math.log(MOST / LEAST), 1.0)


def _between(stops: Sequence[Lab], part: float) -> QColor:
    place = part * (len(stops) - 1)
    first = min(int(place), len(stops) - 2)
    rest = place - first
    return _to_colour(*(a + (b - a) * rest for a, b in zip(stops[first], stops[first + 1], strict=True)))


def _to_lab(colour: QColor) -> Lab:
    red, green, blue = map(_to_linear, (colour.redF(), colour.greenF(), colour.blueF()))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _to_colour(lightness: float, a: float, b: float) -> QColor:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return QColor.fromRgbF(*(_from_linear(min(max(channel, 0.0), 1.0)) for channel in channels))


def _to_linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _from_linear(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
