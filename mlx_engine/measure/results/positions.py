"""What was found when a candidate was held against the reference, position by position: arrays, kept as a file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Positions:
    """P scored positions of a chunk: arrays of the shape (P,), but those of the choices, which are (P, 5).

    Log-probabilities are natural. How far the true `kl` may be away: `rounding` is a bound of what 16 bits do to it,
    `tail_se` the standard error of what a sample of the tail does, and `unmet` what a share of the
    tail as large as one of the samples stands for could add at most without being met.
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
        """Where both would choose the same token."""
        return np.equal(self.top_ids[:, 0], self.reference_top_ids[:, 0])

    @property
    def top_overlap(self) -> NDArray[np.float64]:
        """The share of the reference's choices that are among the candidate's."""
        shared = np.equal(self.top_ids[:, :, None], self.reference_top_ids[:, None, :])
        overlap: NDArray[np.float64] = np.mean(shared.any(axis=1), axis=1, dtype=np.float64)
        return overlap
