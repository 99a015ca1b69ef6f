"""LFM2-VL with the convolutions of the text part as transformers saves them.

WORKAROUND(mlx-lm 0.32.2): its `sanitize` leaves them as [channels, 1, size], while the network has [channels, size, 1].
"""

import importlib
from typing import Any

import mlx.core as mx

_lfm2_vl: Any = importlib.import_module("mlx_lm.models.lfm2-vl")


class Model(_lfm2_vl.Model):  # type: ignore[misc]
    """mlx-lm's network, which also reads transformers' layout."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights in the layout of the network."""
        result: dict[str, mx.array] = self.language_model.sanitize(super().sanitize(weights))
        return result
