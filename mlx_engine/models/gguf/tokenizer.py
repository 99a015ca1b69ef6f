"""Writes the tokenizer of a GGUF file as `tokenizer.json`, with its settings and chat template.

Byte-level BPE ("gpt2") with the pre-tokenizers named below and SentencePiece ("llama") are supported. Meaning of the
names: llama.cpp, src/llama-vocab.cpp.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.gguf import sentence_pieces
from mlx_engine.models.gguf.metadata import Metadata

_unknown, _control, _user_defined = 2, 3, 4

_byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_bytes_only = {**_byte_level, "use_regex": False}


def _cl100k(digits: str) -> dict[str, Any]:
    """Return OpenAI's cl100k pre-tokenizer, with numbers split by the pattern `digits`."""
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|" + digits + r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, _bytes_only]}


@dataclass(frozen=True, slots=True)
class _Variant:
    """The settings that belong to the name of a pre-tokenizer."""

    pre_tokenizer: dict[str, Any]
    normalizer: dict[str, Any] | None = None
    ignores_merges: bool = False
    """A word that is in the vocabulary becomes one token even if no merges produce it."""
    adds_bos: bool = False
    """The default if the file does not define `add_bos_token`."""


_gpt2 = _Variant(_byte_level)
_single_digits = _Variant(
    {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, _byte_level]}
)
_llama3 = _Variant(_cl100k(r"\p{N}{1,3}"), ignores_merges=True, adds_bos=True)
_qwen2 = _Variant(_cl100k(r"\p{N}"), normalizer={"type": "NFC"})
_sentence_pieces = _Variant({}, adds_bos=True)
_variants = {
    "gpt-2": _gpt2,
    "smollm": _single_digits,
    "starcoder": _single_digits,
    "llama3": _llama3,
    "llama-v3": _llama3,
    "llama-bpe": _llama3,
    "qwen2": _qwen2,
}


@dataclass(frozen=True, slots=True)
class TokenIds:
    """The token ids that end a text (at least one), start it and pad it; None if the file defines none."""

    end: tuple[int, ...]
    start: int | None
    padding: int | None


def write_tokenizer(metadata: Metadata, folder: Path) -> TokenIds:
    """Write `tokenizer.json` and `tokenizer_config.json` into `folder`.

    Raises:
        UnsupportedModel: the tokenizer's type is not supported.
        BrokenModel: it contradicts itself.
        OSError: the files cannot be written.
    """
    tokens = metadata.texts("tokenizer.ggml.tokens")
    ids = token_ids(metadata, len(tokens))
    content = json.dumps(_tokenizer(metadata, tokens, ids), ensure_ascii=False)
    try:
        tokenizers.Tokenizer.from_str(content)
    except Exception as error:  # The library raises nothing narrower.
        raise BrokenModel(f"The tokenizer in this file is damaged: {error}.") from error
    (folder / "tokenizer.json").write_text(content, encoding="utf-8")
    settings = json.dumps(_settings(metadata, tokens, ids), ensure_ascii=False, indent=2)
    (folder / "tokenizer_config.json").write_text(settings, encoding="utf-8")
    return ids


def check_tokenizer(metadata: Metadata) -> None:
    """Raise an error if the tokenizer can't be imported.

    Raises:
        UnsupportedModel: its type is not supported.
        BrokenModel: its type or the token that ends a text is missing.
    """
    _variant(metadata)
    token_ids(metadata, len(metadata.texts("tokenizer.ggml.tokens")))


def _variant(metadata: Metadata) -> _Variant:
    model = metadata.text("tokenizer.ggml.model")
    if model == "llama":
        return _sentence_pieces
    if model != "gpt2":
        raise UnsupportedModel(f"This file has a tokenizer of the type {model!r}, which Facet can't import yet.")
    name = metadata.text("tokenizer.ggml.pre", "default")
    if name not in _variants:
        raise UnsupportedModel(f"Facet can't import the pre-tokenizer {name!r}. Supported: {', '.join(_variants)}.")
    return _variants[name]


def token_ids(metadata: Metadata, count: int) -> TokenIds:
    """Return the special token ids of a file with `count` tokens.

    Raises:
        BrokenModel: the file does not define which token ends a text.
    """

    def token_id(name: str) -> int | None:
        return metadata.index(f"tokenizer.ggml.{name}_token_id", below=count)

    end = [token_id(name) for name in ("eos", "eot", "eom")]
    distinct = tuple(dict.fromkeys(token for token in end if token is not None))
    if not distinct:
        raise BrokenModel("The file does not define which token ends a text, so answers would never end.")
    return TokenIds(end=distinct, start=token_id("bos"), padding=token_id("padding"))


def _tokenizer(metadata: Metadata, tokens: list[str], ids: TokenIds) -> dict[str, Any]:
    variant = _variant(metadata)
    vocabulary = {token: number for number, token in enumerate(tokens)}
    if len(vocabulary) != len(tokens):
        raise BrokenModel("The tokenizer in this file is damaged: it contains a token twice.")
    shared = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens(metadata, tokens),
        "post_processor": _post_processor(metadata, variant, tokens, ids),
    }
    if sentence_pieces.is_sentence_pieces(metadata):
        return shared | {
            "normalizer": sentence_pieces.normalizer(metadata),
            "pre_tokenizer": None,
            "decoder": sentence_pieces.decoder(metadata),
            "model": sentence_pieces.model(metadata, tokens),
        }
    return shared | {
        "normalizer": variant.normalizer,
        "pre_tokenizer": variant.pre_tokenizer,
        "decoder": _byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": variant.ignores_merges,
            "vocab": vocabulary,
            "merges": _merges(metadata),
        },
    }


def _merges(metadata: Metadata) -> list[list[str]]:
    merges = [merge.split(" ") for merge in metadata.texts("tokenizer.ggml.merges")]
    if any(len(merge) != 2 for merge in merges):
        raise BrokenModel("The tokenizer in this file is damaged: a merge is not a pair.")
    return merges


def _added_tokens(metadata: Metadata, tokens: list[str]) -> list[dict[str, Any]]:
    kinds = metadata.integers("tokenizer.ggml.token_type")
    if len(kinds) != len(tokens):
        raise BrokenModel("The tokenizer in this file is damaged: its lists are of different lengths.")
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return [
        {"id": number, "content": token, **plain, "special": kind != _user_defined}
        for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (_unknown, _control, _user_defined)
    ]


def _post_processor(metadata: Metadata, variant: _Variant, tokens: list[str], ids: TokenIds) -> dict[str, Any] | None:
    if metadata.flag("tokenizer.ggml.add_eos_token", default=False):
        raise UnsupportedModel("This file adds an end token after every text, which Facet can't import yet.")
    adds_bos = metadata.flag("tokenizer.ggml.add_bos_token", default=variant.adds_bos)
    if not adds_bos or ids.start is None:
        return None if sentence_pieces.is_sentence_pieces(metadata) else {**_byte_level, "trim_offsets": False}
    bos = tokens[ids.start]
    first, text, second = (
        {"SpecialToken": {"id": bos, "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"Sequence": {"id": "B", "type_id": 1}},
    )
    return {
        "type": "TemplateProcessing",
        "single": [first, text],
        "pair": [first, text, second],
        "special_tokens": {bos: {"id": bos, "ids": [ids.start], "tokens": [bos]}},
    }


def _settings(metadata: Metadata, tokens: list[str], ids: TokenIds) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "eos_token": tokens[ids.end[0]],
    }
    unknown = metadata.index("tokenizer.ggml.unknown_token_id", below=len(tokens))
    for name, token in (("bos_token", ids.start), ("pad_token", ids.padding), ("unk_token", unknown)):
        if token is not None:
            settings[name] = tokens[token]
    if "tokenizer.chat_template" in metadata:
        settings["chat_template"] = metadata.text("tokenizer.chat_template")
    return settings
