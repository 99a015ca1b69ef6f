"""The tokenizer of a SentencePiece model in a GGUF file, which has scores instead of merges.

SentencePiece joins the neighbors that form the piece with the highest score. The merges, from the best piece to the
worst and each with all pairs of pieces that form it, give the same tokens. Source: SentencePiece, bpe_model.cc;
llama.cpp, src/llama-vocab.cpp (`llm_tokenizer_spm`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.gguf.metadata import Metadata

_space = "▁"
_normal, _unused, _byte = 1, 5, 6
_longest_piece = 256
"""Characters; longer pieces, such as runs of spaces, are joined from the left only."""


def model(metadata: Metadata, tokens: Sequence[str]) -> dict[str, Any]:
    """Return the "model" of `tokenizer.json`.

    Raises:
        UnsupportedModel: pieces have equal scores.
        BrokenModel: the lists have different lengths.
    """
    scores, kinds = metadata.numbers("tokenizer.ggml.scores"), metadata.integers("tokenizer.ggml.token_type")
    if not len(scores) == len(kinds) == len(tokens):
        raise BrokenModel("The tokenizer in this file is damaged: its lists are of different lengths.")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    unknown = metadata.index("tokenizer.ggml.unknown_token_id", below=len(tokens))
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None if unknown is None else tokens[unknown],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": _byte in kinds,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": _merges(tokens, scores, kinds),
    }


def normalizer(metadata: Metadata) -> dict[str, Any]:
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": _space}
    if not adds_space(metadata):
        return replace
    return {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": _space}, replace]}


def decoder(metadata: Metadata) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": _space}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if adds_space(metadata):
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}


def adds_space(metadata: Metadata) -> bool:
    """Return whether a space is put before a text, as SentencePiece does by default."""
    return metadata.flag("tokenizer.ggml.add_space_prefix", default=True)


def _merges(tokens: Sequence[str], scores: Sequence[float], kinds: Sequence[int]) -> list[list[str]]:
    pieces = {
        token: score for token, score, kind in zip(tokens, scores, kinds, strict=True) if kind in (_normal, _unused)
    }
    pairs = {piece: halves for piece in pieces if (halves := list(_pairs(piece, pieces)))}
    if len({pieces[piece] for piece in pairs}) < len(pairs):
        raise UnsupportedModel("Pieces of the tokenizer in this file have equal scores, so Facet can't order them.")
    ranked = sorted(pairs, key=lambda piece: -pieces[piece])
    return [[left, right] for piece in ranked for left, right in pairs[piece]]


def _pairs(piece: str, pieces: dict[str, float]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of pieces that form `piece`."""
    ends = range(1, len(piece)) if len(piece) <= _longest_piece else (len(piece) - 1,)
    for end in ends:
        left, right = piece[:end], piece[end:]
        if left in pieces and right in pieces:
            yield left, right
