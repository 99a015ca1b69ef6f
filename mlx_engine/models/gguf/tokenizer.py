"""Writes the tokenizer of a GGUF file as `tokenizer.json`, with its settings and chat template.

Byte-level BPE ("gpt2") with the pre-tokenizers of `pre_tokenizers.py` and SentencePiece BPE ("llama") are supported.
Meaning of the names: llama.cpp, src/llama-vocab.cpp.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files.named_templates import choose
from mlx_engine.models.gguf import sentence_pieces
from mlx_engine.models.gguf.metadata import Metadata, chat_templates
from mlx_engine.models.gguf.pre_tokenizers import BYTE_LEVEL, PRE_TOKENIZERS, PreTokenizer

_byte_level_model, _sentencepiece_model = "gpt2", "llama"
_unknown, _control, _user_defined = 2, 3, 4

# llama.cpp, src/llama-vocab.cpp, detects the same texts.
_turn_end_texts = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|eom_id|>", "<EOT>", "<end_of_utterance>"}


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
    if _model(metadata) == _byte_level_model:
        _pre_tokenizer(metadata)
    token_ids(metadata, len(metadata.texts("tokenizer.ggml.tokens")))


def _model(metadata: Metadata) -> str:
    model = metadata.text("tokenizer.ggml.model")
    if model not in (_byte_level_model, _sentencepiece_model):
        raise UnsupportedModel(
            f"This file has a tokenizer of the kind {model!r}, which Facet can't import. "
            f"Supported: {_byte_level_model} (byte-level BPE), {_sentencepiece_model} (SentencePiece BPE)."
        )
    return model


def _pre_tokenizer(metadata: Metadata) -> PreTokenizer:
    name = metadata.text("tokenizer.ggml.pre", "default")
    if name not in PRE_TOKENIZERS:
        raise UnsupportedModel(
            f"Facet can't import the pre-tokenizer {name!r}. Supported: {', '.join(PRE_TOKENIZERS)}."
        )
    return PRE_TOKENIZERS[name]


def token_ids(metadata: Metadata, count: int) -> TokenIds:
    """Return the special token ids of a file with `count` tokens.

    Raises:
        BrokenModel: the file does not define which token ends a text.
    """

    def token_id(name: str) -> int | None:
        return metadata.index(f"tokenizer.ggml.{name}_token_id", below=count)

    end = [token_id(name) for name in ("eos", "eot", "eom")]
    defined = [token for token in end if token is not None]
    if not defined:
        raise BrokenModel("The file does not define which token ends a text, so answers would never end.")
    return TokenIds(
        end=tuple(dict.fromkeys(defined + _turn_ends(metadata))), start=token_id("bos"), padding=token_id("padding")
    )


def _turn_ends(metadata: Metadata) -> list[int]:
    """Return the tokens that end a turn by their text: many files, such as Gemma's, name only the end of a text."""
    tokens, kinds = metadata.texts("tokenizer.ggml.tokens"), metadata.integers("tokenizer.ggml.token_type")
    return [
        number
        for number, (token, kind) in enumerate(zip(tokens, kinds, strict=False))
        if kind == _control and token in _turn_end_texts
    ]


def _tokenizer(metadata: Metadata, tokens: list[str], ids: TokenIds) -> dict[str, Any]:
    if len(set(tokens)) != len(tokens):
        raise BrokenModel("The tokenizer in this file is damaged: it contains a token twice.")
    if _model(metadata) == _sentencepiece_model:
        parts, adds_bos = _sentencepiece_parts(metadata, tokens), True
    else:
        pre_tokenizer = _pre_tokenizer(metadata)
        parts, adds_bos = _byte_level_parts(metadata, tokens, pre_tokenizer), pre_tokenizer.adds_bos
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens(metadata, tokens),
        "post_processor": _post_processor(metadata, tokens, ids, adds_bos=adds_bos),
        **parts,
    }


def _sentencepiece_parts(metadata: Metadata, tokens: list[str]) -> dict[str, Any]:
    return {
        "normalizer": sentence_pieces.normalizer(metadata),
        "pre_tokenizer": None,
        "decoder": sentence_pieces.decoder(metadata),
        "model": sentence_pieces.model(metadata, tokens),
    }


def _byte_level_parts(metadata: Metadata, tokens: list[str], pre_tokenizer: PreTokenizer) -> dict[str, Any]:
    return {
        "normalizer": pre_tokenizer.normalizer,
        "pre_tokenizer": pre_tokenizer.settings,
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": pre_tokenizer.ignores_merges,
            "vocab": {token: number for number, token in enumerate(tokens)},
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


def _post_processor(metadata: Metadata, tokens: list[str], ids: TokenIds, *, adds_bos: bool) -> dict[str, Any] | None:
    adds_bos = metadata.flag("tokenizer.ggml.add_bos_token", default=adds_bos) and ids.start is not None
    adds_eos = metadata.flag("tokenizer.ggml.add_eos_token", default=False)
    before = [ids.start] if adds_bos and ids.start is not None else []
    after = [ids.end[0]] if adds_eos else []
    if not before and not after:
        return {**BYTE_LEVEL, "trim_offsets": False} if _model(metadata) == _byte_level_model else None
    first, last = (
        [{"SpecialToken": {"id": tokens[token], "type_id": 0}} for token in group] for group in (before, after)
    )
    text, second = ({"Sequence": {"id": name, "type_id": number}} for number, name in enumerate("AB"))
    return {
        "type": "TemplateProcessing",
        "single": [*first, text, *last],
        "pair": [*first, text, second, *last],
        "special_tokens": {
            tokens[token]: {"id": tokens[token], "ids": [token], "tokens": [tokens[token]]}
            for token in {*before, *after}
        },
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
    metadata.text("tokenizer.chat_template", "")  # refuses another type
    if template := choose(chat_templates(dict(metadata))):
        settings["chat_template"] = template
    return settings
