"""Stores the comparison of each token with a result, so that it can be shown without loading either model.

`positions.npz` holds the arrays of `Positions`, stacked by chunks; `tokens.json` contains the texts of the tokens.
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
"""Errors that reading damaged arrays may raise."""
_ARRAY_NAMES = (
    *("kl", "true_log_probability", "reference_true_log_probability"),
    *("top_ids", "top_log_probabilities", "reference_top_ids", "reference_top_log_probabilities"),
)
"""The arrays to read. Those for error bounds are left out: the bound applies to the mean, and their names vary between
versions of Facet."""

_Arrays = Mapping[str, NDArray[Any]]


class _Texts(msgspec.Struct, frozen=True):
    """`ids` and `pieces` are the ids and texts of the tokens of each chunk.

    `words` are the texts of the most likely tokens by id. `special` are the ids of special tokens, such as the markers
    of a chat template.
    """

    kinds: tuple[str, ...]
    first_scored: int
    ids: tuple[tuple[int, ...], ...]
    pieces: tuple[tuple[str, ...], ...]
    token_texts: dict[int, str]
    special: tuple[int, ...] = ()


def save_tokens(positions: Sequence[Positions], sample: TokenSample, tokenizer: Any, folder: Path) -> None:
    """Write the `positions` of all chunks of `sample` to `folder`.

    Raises:
        StorageError: it cannot be written.
    """
    arrays: dict[str, Any] = {
        name: np.stack([getattr(chunk, name) for chunk in positions]) for name in Positions.__slots__
    }
    top_ids = np.union1d(arrays["top_ids"], arrays["reference_top_ids"]).tolist()
    texts = _Texts(
        sample.kinds,
        sample.convention.first_scored,
        tuple(map(tuple, sample.tokens.tolist())),
        tuple(tuple(decode_pieces(tokenizer, chunk.tolist())) for chunk in sample.tokens),
        {token: decode_token(tokenizer, token) for token in top_ids},
        tuple(sorted(set(tokenizer.all_special_ids).intersection(sample.tokens.ravel().tolist()))),
    )
    file = io.BytesIO()
    np.savez(file, **arrays)
    with storage_errors(folder / "tokens.json"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "positions.npz", file.getvalue())
        write_whole(folder / "tokens.json", msgspec.json.encode(texts))


def has_tokens(folder: Path) -> bool:
    """Return True if the tokens in `folder` can be read."""
    try:
        read_tokens(ReadTokens(id="", result=str(folder)))
    except StorageError:
        return False
    return True


def read_tokens(request: ReadTokens) -> TokensRead:
    """Return the comparison of the tokens of one chunk.

    Raises:
        StorageError: it is missing or damaged.
    """
    folder = Path(request.result)
    try:
        texts = msgspec.json.decode((folder / "tokens.json").read_bytes(), type=_Texts)
        with (folder / "positions.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            values = {name: arrays[name][request.chunk] for name in _ARRAY_NAMES}
        tokens = tuple(_scored_tokens(texts, values, request.chunk))
        kind, pieces = texts.kinds[request.chunk], texts.pieces[request.chunk]
    except _DAMAGED as error:
        raise StorageError("The comparison of tokens is missing or damaged. Measure this model again.") from error
    return TokensRead(
        id=request.id,
        chunk=request.chunk,
        chunks=len(texts.kinds),
        kind=kind,
        before="".join(pieces[: texts.first_scored + 1]),
        tokens=tokens,
        first_scored=texts.first_scored,
        first_difference=next((index for index, token in enumerate(tokens) if token.differs), None),
    )


def _scored_tokens(texts: _Texts, values: _Arrays, chunk: int) -> Iterator[ScoredToken]:
    following = slice(texts.first_scored + 1, None)
    ids, pieces = texts.ids[chunk][following], texts.pieces[chunk][following]
    if not np.isfinite(values["kl"]).all():
        raise ValueError("a divergence is not finite")
    kl, special = values["kl"].tolist(), set(texts.special)
    differs = np.not_equal(values["top_ids"][:, 0], values["reference_top_ids"][:, 0]).tolist()
    probabilities, reference_probabilities = (
        np.exp(values[f"{prefix}true_log_probability"]).tolist() for prefix in ("", "reference_")
    )
    candidate, reference = (_top_tokens(texts, values, prefix, ids) for prefix in ("", "reference_"))
    for index, text in enumerate(pieces):
        yield ScoredToken(
            text=text,
            kl=kl[index],
            differs=differs[index],
            probability=probabilities[index],
            reference_probability=reference_probabilities[index],
            reference=reference[index],
            candidate=candidate[index],
            is_special=ids[index] in special,
        )


def _top_tokens(texts: _Texts, values: _Arrays, prefix: str, true_ids: Sequence[int]) -> list[tuple[TopToken, ...]]:
    """Return the most likely tokens at each position; `true_ids` are the tokens that follow in the text."""
    ids = values[f"{prefix}top_ids"].tolist()
    probabilities = np.exp(values[f"{prefix}top_log_probabilities"]).tolist()
    return [
        tuple(
            TopToken(texts.token_texts[token], probability, token == true)
            for token, probability in zip(row, row_probabilities, strict=True)
        )
        for row, row_probabilities, true in zip(ids, probabilities, true_ids, strict=True)
    ]
