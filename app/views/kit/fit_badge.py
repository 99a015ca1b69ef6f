"""Badge that says whether a model fits in the memory of this Mac."""

from collections.abc import Mapping

from app.views.kit.controls import Badge
from app.views.kit.text_label import Tone

FIT_LABELS: Mapping[str, str] = {
    "fits": "Fits",
    "weights fit": "Weights fit",
    "tight": "Tight",
    "too large": "Too large",
    "unknown": "",
}
FIT_TONES: Mapping[str, Tone] = {
    "fits": "success",
    "weights fit": "secondary",
    "tight": "warning",
    "too large": "danger",
    "unknown": "tertiary",
}


class FitBadge(Badge):
    """Shows a verdict, one of the keys of `FIT_LABELS`; its tooltip explains it."""

    def show_fit(self, verdict: str, explanation: str) -> None:
        self.show_text(FIT_LABELS[verdict], FIT_TONES[verdict], explanation)
