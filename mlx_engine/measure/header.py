"""What a store of kept answers says of itself: a value, kept as JSON."""

import hashlib

import msgspec

from mlx_engine.measure.convention import Convention

FORMAT = 2


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a store says of itself, in `reference.json`. The chunks themselves are beside it."""

    format: int = FORMAT
    model: str
    """For people."""
    weights: str
    """Fingerprint of the model's files."""
    is_stand_in: bool = False
    """Whether it answers in the place of an original that is too large for the machine."""
    corpus: str
    """For people."""
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
        """The name of the store's folder: what may be measured against each other has the same."""
        text = msgspec.json.encode((self.format, self.weights, self.is_stand_in, self.sample, self.tail_mass))
        return hashlib.sha256(text).hexdigest()[:24]
