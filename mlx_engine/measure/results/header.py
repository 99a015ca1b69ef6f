"""What a store of kept answers says of itself: a value, kept as JSON."""

import hashlib

import msgspec

from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.messages import CorpusSource

FORMAT = 3
"""Raised whenever answers, or the figures that are reckoned from them, come to mean something else: by the key of its
answers, a result is known again.
"""


class ReferenceHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says of itself, in `reference.json`. The chunks themselves are beside it."""

    format: int = FORMAT
    model: str
    """For people."""
    folder: str = ""
    """Where the model was."""
    weights: str
    """Fingerprint of the model's files."""
    is_stand_in: bool = False
    """Whether it answers in the place of an original that is too large for the machine."""
    corpus: str
    """For people."""
    choice: CorpusSource = CorpusSource()
    """How the corpus was chosen."""
    limit_tokens: int = 0
    reading: str = ""
    """A SHA-256 of `reading.json`, which has the texts."""
    sample: str
    """Fingerprint of the tokens and of the convention."""
    convention: Convention
    kinds: tuple[str, ...]
    """Of each chunk."""
    vocabulary: int
    """To how many tokens the model gives a probability."""
    tail_mass: float
    created: str = ""

    @property
    def scored_positions(self) -> int:
        return len(self.kinds) * self.convention.scored_per_chunk

    @property
    def key(self) -> str:
        """The name of the store's folder: what may be measured against each other has the same.

        All that decides about figures is in it, so that a header which was changed does not fit its folder.
        """
        told = msgspec.structs.replace(
            self, model="", folder="", choice=CorpusSource(), created="", tail_mass=float(self.tail_mass)
        )
        return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:24]
