"""Verdicts: the meaning of a measured divergence as a phrase."""

from mlx_engine.measure.results.results import Fidelity

_DISTANCES = (
    (1e-3, "nearly identical"),
    (1e-2, "very close"),
    (5e-2, "close"),
    (0.1, "somewhat different"),
    (1.0, "clearly different"),
)
"""In nats. llama.cpp's table of Llama 3 8B (tools/perplexity/README.md) has q8_0 at 0.001, q6_K at 0.005, q5_K_M at
0.011, q4_K_M at 0.031, q4_0 at 0.072, q3_K_S at 0.23, q2_K at 0.45 and iq1_M at 1.4. The words order distances;
they do not promise how good answers are."""


def verdict(fidelity: Fidelity) -> str:
    """Return a phrase such as "about 6 of 100 next words differ from the original; close". A word is a token here."""
    return f"{_flips(fidelity)}; {_distance(fidelity.mean_kl)}"


def _flips(fidelity: Fidelity) -> str:
    share = 1 - fidelity.top1_agreement
    if share == 0:
        return "no next word differs from the original"
    if share < 0.0005:
        return "fewer than 1 of 1,000 next words differ from the original"
    if share < 0.01:
        return f"about {round(1000 * share)} of 1,000 next words differ from the original"
    return f"about {round(100 * share)} of 100 next words differ from the original"


def _distance(kl: float) -> str:
    return next((phrase for limit, phrase in _DISTANCES if kl < limit), "hardly the same model")
