"""The description of a stored reference, saved as JSON next to its predictions."""

import hashlib

import msgspec

from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.messages import CorpusSource

FORMAT = 4
"""Raised when the predictions, or the figures computed from them, change their meaning. It is part of the key, by which
an existing result is recognized.
"""


class ReferenceHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of `reference.json`. The chunks of predictions are in the same folder."""

    format: int = FORMAT
    model: str
    """Display name."""
    folder: str = ""
    """The model's folder when it was read."""
    notes: tuple[str, ...] = ()
    """Those of its description, such as that stock mlx-lm computes it differently."""
    weights: str
    """Fingerprint of the model's files."""
    is_stand_in: bool = False
    """Whether the model replaces an original that is too large for this Mac."""
    corpus: str
    """Display name."""
    source: CorpusSource = CorpusSource()
    """The selection of the corpus."""
    limit_tokens: int = 0
    corpus_sha256: str = ""
    """SHA-256 of `corpus.json`, which has the texts."""
    sample: str
    """Fingerprint of the tokens and the convention."""
    convention: Convention
    kinds: tuple[str, ...]
    """The kind of each chunk."""
    vocabulary: int
    """Number of tokens with a probability."""
    tail_mass: float
    created: str = ""

    @property
    def scored_positions(self) -> int:
        return len(self.kinds) * self.convention.scored_per_chunk

    @property
    def key(self) -> str:
        """Name of the folder. Results with the same key are comparable.

        It covers everything that affects a figure, so an edited header no longer matches its folder.
        """
        covered = msgspec.structs.replace(
            self, model="", folder="", notes=(), source=CorpusSource(), created="", tail_mass=float(self.tail_mass)
        )
        return hashlib.sha256(msgspec.json.encode(covered)).hexdigest()[:24]
