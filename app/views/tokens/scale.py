"""Color scale of KL divergence, from the background to deep orange in perceptually even steps.

Colors between the stops are interpolated in Oklab (B. Ottosson, https://bottosson.github.io/posts/oklab), where equal
distances look equal. Text in the theme's color is legible on all of them.
"""

import math
from collections.abc import Sequence

from PySide6.QtGui import QColor

from app.views.kit.theme import Theme

MIN_KL, MAX_KL = 0.01, 3.0
"""Range of the scale in nats, which is logarithmic. Lower values have no tint, higher ones the darkest."""
MARKS = (0.01, 0.1, 1.0)
"""Labeled values of the legend."""

_STEPS = 48
_LIGHT = ("#fff3dc", "#ffd596", "#ffaf68", "#f47d52")
_DARK = ("#33291c", "#5a3d16", "#85460f", "#ab4322")

Lab = tuple[float, float, float]


class KlScale:
    """The scale in light or dark mode."""

    def __init__(self, *, is_dark: bool) -> None:
        stops = [_to_lab(QColor(name)) for name in (_DARK if is_dark else _LIGHT)]
        self._colors = [_between(stops, step / (_STEPS - 1)) for step in range(_STEPS)]

    @classmethod
    def of(cls, theme: Theme) -> "KlScale":
        return cls(is_dark=theme.is_dark)

    def color(self, kl: float) -> QColor | None:
        """Return the tint, or None below `MIN_KL`."""
        return self.at(share(kl)) if kl >= MIN_KL else None

    def at(self, share: float) -> QColor:
        """Return the color at a position of the scale from 0 to 1."""
        return self._colors[round(share * (_STEPS - 1))]


def share(kl: float) -> float:
    """Return the position of a divergence in nats on the scale, from 0 to 1."""
    if kl <= MIN_KL:
        return 0.0
    return min(math.log(kl / MIN_KL) / math.log(MAX_KL / MIN_KL), 1.0)


def _between(stops: Sequence[Lab], share: float) -> QColor:
    position = share * (len(stops) - 1)
    first = min(int(position), len(stops) - 2)
    rest = position - first
    return _to_color(*(a + (b - a) * rest for a, b in zip(stops[first], stops[first + 1], strict=True)))


def _to_lab(color: QColor) -> Lab:
    red, green, blue = map(_to_linear, (color.redF(), color.greenF(), color.blueF()))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _to_color(lightness: float, a: float, b: float) -> QColor:
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
