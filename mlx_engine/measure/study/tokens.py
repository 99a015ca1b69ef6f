"""What was found token by token, kept with a result in words, so that it is shown without either model.

`positions.npz` holds the arrays of `Positions`, stacked by chunks; `tokens.json` the texts of the tokens.
"""

import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import StorageError
from mlx_engine.measure.corpus.sample import TokenSample
from mlx_engine.measure.corpus.token_text import decode_pieces, decode_token
from mlx_engine.measure.results.messages import ReadTokens, ScoredToken, TokensRead
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.results import TopToken
from mlx_engine.models.files.staging import storage_errors, write_whole

_DAMAGED = (
    *(OSError, ValueError, TypeError, LookupError, EOFError, MemoryError, RuntimeError),
    *(BadZipFile, zlib.error),
)
"""What reading arrays of somebody else's making may end with."""
_SHOWN = (
    *("kl", "true_log_probability", "reference_true_log_probability"),
    *("top_ids", "top_log_probabilities", "reference_top_ids", "reference_top_log_probabilities"),
)
"""Of the arrays; how far a KL may be away is told of the mean, and not by all versions in the same arrays."""

_Found = Mapping[str, NDArray[Any]]


class _Texts(msgspec.Struct, frozen=True):
    """`ids` are the tokens of each chunk and `pieces` their texts; `words` what the choices say, by their ids;
    `special` are those of `ids` that are marks of the chat format and the like, not text.
    """

    kinds: tuple[str, ...]
    first_scored: int
    ids: tuple[tuple[int, ...], ...]
    pieces: tuple[tuple[str, ...], ...]
    words: dict[int, str]
    special: tuple[int, ...] = ()


def save_tokens(found: Sequence[Positions], sample: TokenSample, tokenizer: Any, folder: Path) -> None:
    """Write what was `found` over the chunks of `sample` into `folder`.

    Raises:
        StorageError: it cannot be written.
    """
    arrays: dict[str, Any] = {name: np.stack([getattr(one, name) for one in found]) for name in Positions.__slots__}
    choices = np.union1d(arrays["top_ids"], arrays["reference_top_ids"]).tolist()
    texts = _Texts(
        sample.kinds,
        sample.convention.first_scored,
        tuple(map(tuple, sample.tokens.tolist())),
        tuple(tuple(decode_pieces(tokenizer, chunk.tolist())) for chunk in sample.tokens),
        {one: decode_token(tokenizer, one) for one in choices},
        tuple(sorted(set(tokenizer.all_special_ids).intersection(sample.tokens.ravel().tolist()))),
    )
    file = io.BytesIO()
    np.savez(file, **arrays)
    with storage_errors(folder / "tokens.json"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "positions.npz", file.getvalue())
        write_whole(folder / "tokens.json", msgspec.json.encode(texts))


def has_tokens(folder: Path) -> bool:
    """Tell whether what was found token by token can be read from `folder`."""
    try:
        read_tokens(ReadTokens(id="", result=str(folder)))
    except StorageError:
        return False
    return True


def read_tokens(request: ReadTokens) -> TokensRead:
    """Return what was found over a chunk.

    Raises:
        StorageError: it is not there any more, or damaged.
    """
    folder = Path(request.result)
    try:
        texts = msgspec.json.decode((folder / "tokens.json").read_bytes(), type=_Texts)
        with (folder / "positions.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name][request.chunk] for name in _SHOWN}
        tokens = tuple(_scored(texts, found, request.chunk))
        kind, whole = texts.kinds[request.chunk], texts.pieces[request.chunk]
    except _DAMAGED as error:
        raise StorageError(
            "What was found token by token is damaged or not there any more. Measure this model again."
        ) from error
    return TokensRead(
        id=request.id,
        chunk=request.chunk,
        chunks=len(texts.kinds),
        kind=kind,
        before="".join(whole[: texts.first_scored + 1]),
        tokens=tokens,
        first_scored=texts.first_scored,
        first_difference=next((place for place, token in enumerate(tokens) if token.differs), None),
    )


def _scored(texts: _Texts, found: _Found, chunk: int) -> Iterator[ScoredToken]:
    following = slice(texts.first_scored + 1, None)
    ids, pieces = texts.ids[chunk][following], texts.pieces[chunk][following]
    if not np.isfinite(found["kl"]).all():
        raise ValueError("a divergence is no number")
    kl, special = found["kl"].tolist(), set(texts.special)
    differs = np.not_equal(found["top_ids"][:, 0], found["reference_top_ids"][:, 0]).tolist()
    own, theirs = (np.exp(found[f"{whose}true_log_probability"]).tolist() for whose in ("", "reference_"))
    candidate, reference = (_choices(texts, found, whose, ids) for whose in ("", "reference_"))
    for place, text in enumerate(pieces):
        yield ScoredToken(
            text=text,
            kl=kl[place],
            differs=differs[place],
            probability=own[place],
            reference_probability=theirs[place],
            reference=reference[place],
            candidate=candidate[place],
            is_special=ids[place] in special,
        )


def _choices(texts: _Texts, found: _Found, whose: str, true: Sequence[int]) -> list[tuple[TopToken, ...]]:
    """Return the choices at each position; `true` are the tokens that really follow."""
    ids, chances = found[f"{whose}top_ids"].tolist(), np.exp(found[f"{whose}top_log_probabilities"]).tolist()
    return [
        tuple(TopToken(texts.words[one], chance, one == own) for one, chance in zip(row, likely, strict=True))
        for row, likely, own in zip(ids, chances, true, strict=True)
    ]
