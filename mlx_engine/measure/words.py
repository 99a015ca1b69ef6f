"""What measured figures mean, in words."""

import math

from mlx_engine.measure.results import Fidelity


def verdict(found: Fidelity) -> str:
    """Return what a person would notice: how many of a hundred next words differ, and how far.

    The borders are those in which quantizations are usually read: a KL below 0.001 nats is lost in rounding, a good
    4-bit conversion lies between 0.01 and 0.05, and above 0.1 the difference shows in the text.
    """
    return f"{_differing(found)}; {_distance(found.mean_kl)}"


def _differing(found: Fidelity) -> str:
    share = 100 * (1 - found.top1_agreement)
    if share == 0:
        return "no next word differs from the original"
    if share < 0.5:
        return f"about {max(1, round(10 * share))} of 1,000 next words differ from the original"
    return f"about {round(share)} of 100 next words differ from the original"


def _distance(kl: float) -> str:
    for border, words in ((1e-3, "indistinguishable"), (1e-2, "very close"), (5e-2, "close"), (0.1, "noticeable")):
        if kl < border:
            return words
    return "clearly different" if kl < 1 else "another model"


def plus_minus(value: float, error: float | None, digits: int) -> str:
    """Return a figure with its standard error: "0.043 ± 0.002", with more digits where the error is below the last."""
    if error is None:
        return f"{value:.{digits}f}"
    if error == 0 or not math.isfinite(error):
        return f"{value:.{digits}f} ± {error:.0f}"
    digits = max(digits, -math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
