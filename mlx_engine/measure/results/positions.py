"""Comparison of a candidate with the reference at every scored position, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Positions:
    """The P scored positions of a chunk: arrays of shape (P,), or (P, 5) for the most likely tokens.

    Log-probabilities are natural. Three arrays bound the error of `kl`: `rounding` that of storing 16 bits, `tail_se`
    is the standard error of sampling the tail, and `unmet` is the most that tail tokens with the weight of one sample
    could add without being sampled.
    """

    kl: NDArray[np.float32]
    rounding: NDArray[np.float32]
    tail_se: NDArray[np.float32]
    unmet: NDArray[np.float32]
    true_log_probability: NDArray[np.float32]
    reference_true_log_probability: NDArray[np.float32]
    top_ids: NDArray[np.int32]
    top_log_probabilities: NDArray[np.float32]
    reference_top_ids: NDArray[np.int32]
    reference_top_log_probabilities: NDArray[np.float32]

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """True where both models have the same most likely token."""
        return np.equal(self.top_ids[:, 0], self.reference_top_ids[:, 0])

    @property
    def top_overlap(self) -> NDArray[np.float64]:
        """Share of the reference's top tokens that are among the candidate's."""
        shared = np.equal(self.top_ids[:, :, None], self.reference_top_ids[:, None, :])
        overlap: NDArray[np.float64] = np.mean(shared.any(axis=1), axis=1, dtype=np.float64)
        return overlap
