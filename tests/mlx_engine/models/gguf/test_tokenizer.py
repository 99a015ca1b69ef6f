"""Compares the tokenizer of the starter model with a byte-level BPE written from its definition."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoTokenizer

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.gguf.header import read_header
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.pre_tokenizers import PRE_TOKENIZERS
from mlx_engine.models.gguf.tokenizer import check_tokenizer
from mlx_engine.models.library.starter import starter_gguf
from tests.gguf_files import GGUFFile, import_file, tiny_model, tiny_tokenizer

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

CORPUS = [
    "",
    " ",
    "Hello, world! It's 12,345.67 o'clock — isn't it?",
    "  leading and trailing  \n\n\n\ttabs\r\nand lines\n ",
    "Grüße aus Köln; naïve café, Ελληνικά, Русский язык, čeština",
    "東京は日本の首都です。汉语 한국어 ภาษาไทย हिन्दी",
    "مرحبا بالعالم שלום עולם",
    "👩‍👩‍👧 🇩🇪 👍🏽 e\u0301 \u200b \ufeff \x00 \x7f",
    "def f(x: int) -> str:\n    return f'{x**2:>10}'  # ½ ² Ⅷ ٣\n",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
    "a" * 500 + "1" * 50,
]


@pytest.fixture(scope="module")
def starter_tokenizer(starter_model: Path) -> Tokenizer:
    return Tokenizer.from_file(str(starter_model / "tokenizer.json"))


class PlainBPE:
    """Byte-level BPE as defined: split, map bytes to letters, join the pair of lowest rank until none remains."""

    def __init__(self) -> None:
        source = starter_gguf()
        assert source is not None
        metadata = read_header(source).metadata
        tokens, kinds = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
        merges = metadata["tokenizer.ggml.merges"]
        assert isinstance(tokens, list)
        assert isinstance(merges, list)
        assert not isinstance(kinds, int | float | str)
        self.ids = {token: number for number, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(merges)}
        special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == 3]
        self.special = regex.compile("(" + "|".join(map(regex.escape, special)) + ")")

    def encode(self, text: str) -> list[int]:
        ids = []
        for piece in self.special.split(text):
            if self.special.fullmatch(piece):
                ids.append(self.ids[piece])
            else:
                matches = (match for part in self._parts(piece) for match in regex.findall(GPT2_PATTERN, part))
                ids += [self.ids[token] for match in matches for token in self._merged(match)]
        return ids

    @staticmethod
    def _parts(text: str) -> list[str]:
        """Split off each digit, as the pre-tokenizer "smollm" does."""
        return [part for part in regex.split(r"(\p{N})", text) if part]

    def _merged(self, word: str) -> list[str]:
        letters = byte_letters()
        # Rare control characters and bytes that UTF-8 never uses have no token: the model was not trained on them.
        symbols = [letters[byte] for byte in word.encode() if letters[byte] in self.ids]
        while pairs := [pair for pair in pairwise(symbols) if pair in self.ranks]:
            best = min(pairs, key=self.ranks.__getitem__)
            joined: list[str] = []
            for symbol in symbols:
                if joined and (joined[-1], symbol) == best:
                    joined[-1] += symbol
                else:
                    joined.append(symbol)
            symbols = joined
        return symbols


PLAIN_TOKENIZER = {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}}


@cache
def bytes_by_letter() -> dict[str, int]:
    return {letter: byte for byte, letter in byte_letters().items()}


@cache
def byte_letters() -> dict[int, str]:
    """Return the letter for each byte: itself if printable, otherwise the next code point from 256."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(unprintable)}


@pytest.fixture(scope="module")
def plain() -> PlainBPE:
    return PlainBPE()


@pytest.mark.parametrize("text", CORPUS)
def test_token_ids_match_plain_bpe(text: str, starter_tokenizer: Tokenizer, plain: PlainBPE) -> None:
    """The corpus has many scripts, code, digits, emoji, control characters and special tokens."""
    assert starter_tokenizer.encode(text).ids == plain.encode(text)


@pytest.mark.parametrize("text", CORPUS)
def test_a_text_survives_the_round_trip(text: str, starter_tokenizer: Tokenizer) -> None:
    """Decoding the ids returns the same text."""
    assert starter_tokenizer.decode(starter_tokenizer.encode(text).ids, skip_special_tokens=False) == text


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_token_ids_of_random_text_match_plain_bpe(text: str, starter_tokenizer: Tokenizer, plain: PlainBPE) -> None:
    """Unassigned characters are excluded, since the two libraries may use different Unicode versions."""
    assume(not regex.search(r"\p{Cn}", text))
    assert starter_tokenizer.encode(text).ids == plain.encode(text)


def test_transformers_reads_the_same_tokenizer(starter_model: Path, starter_tokenizer: Tokenizer) -> None:
    """Stock mlx_lm uses it. It returns the same ids and adds no tokens."""
    stock = AutoTokenizer.from_pretrained(starter_model)
    for text in CORPUS:
        assert stock.encode(text) == starter_tokenizer.encode(text).ids
    assert (stock.bos_token_id, stock.eos_token_id, stock.pad_token_id) == (1, 2, 2)


def test_the_chat_template_comes_from_the_file(starter_model: Path) -> None:
    """A question becomes ChatML with the system message that the model was trained with."""
    stock = AutoTokenizer.from_pretrained(starter_model)
    prompt = stock.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True)
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert prompt.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def tokenizer_of(written: GGUFFile, tmp_path: Path) -> Tokenizer:
    folder = import_file(written.write(tmp_path / "model.gguf"), tmp_path / "model")
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_control_tokens_are_special_and_user_defined_tokens_are_not(tmp_path: Path) -> None:
    """Both are single tokens in a text; only control tokens are removed from an answer."""
    tokenizer = tokenizer_of(tiny_model(), tmp_path)
    ids = tokenizer.encode("<|im_start|>the<mark>").ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "the<mark>"
    assert ids[0] == 1
    assert ids[-1] == 3


@pytest.mark.parametrize(
    ("pre", "pieces"),
    [
        ("gpt-2", ["Ab", "Ġ12345", "Ġx", "'s", "Ġ", "Ġy"]),
        ("smollm", ["Ab", "Ġ", "1", "2", "3", "4", "5", "Ġx", "'s", "Ġ", "Ġy"]),
        ("llama-bpe", ["Ab", "Ġ", "123", "45", "Ġx", "'s", "Ġ", "Ġy"]),
        ("qwen2", ["Ab", "Ġ", "1", "2", "3", "4", "5", "Ġx", "'s", "Ġ", "Ġy"]),
    ],
)
def test_each_pre_tokenizer_splits_numbers_differently(pre: str, pieces: list[str], tmp_path: Path) -> None:
    """Numbers stay whole, or are split into digits or groups of three."""
    written = tiny_model()
    written.metadata |= tiny_tokenizer(pre)
    tokenizer = tokenizer_of(written, tmp_path)
    split = tokenizer.pre_tokenizer
    assert isinstance(split, pre_tokenizers.PreTokenizer)
    assert [piece for piece, _ in split.pre_tokenize_str("Ab 12345 x's  y")] == pieces


@pytest.mark.parametrize(
    ("pre", "flag", "has_bos"),
    [("llama-bpe", None, True), ("llama-bpe", False, False), ("smollm", None, False), ("smollm", True, True)],
)
def test_the_bos_token_is_added_as_the_file_defines(pre: str, flag: bool | None, has_bos: bool, tmp_path: Path) -> None:
    """If the file does not define it, the default of the pre-tokenizer applies."""
    written = tiny_model()
    written.metadata |= tiny_tokenizer(pre) | ({} if flag is None else {"tokenizer.ggml.add_bos_token": flag})
    assert (tokenizer_of(written, tmp_path).encode("the").ids[0] == 1) is has_bos


@pytest.mark.parametrize("pre", PRE_TOKENIZERS)
@pytest.mark.parametrize("text", CORPUS)
def test_no_pre_tokenizer_loses_text(pre: str, text: str) -> None:
    """The pieces make up the text, byte for byte."""
    split = Tokenizer.from_str(json.dumps(PLAIN_TOKENIZER | {"pre_tokenizer": PRE_TOKENIZERS[pre].settings}))
    assert isinstance(split.pre_tokenizer, pre_tokenizers.PreTokenizer)
    pieces = "".join(piece for piece, _ in split.pre_tokenizer.pre_tokenize_str(text))
    assert bytes(bytes_by_letter()[letter] for letter in pieces) == text.encode()


@pytest.mark.parametrize(
    ("pre", "pieces"),
    [
        ("default", ["IsXml", " ", "123", "45", " it", "'", "S", " 世界", "!", "\n\n"]),
        ("falcon", ["IsXml", " ", "123", "45", " it", "'", "S", " 世界", "!", "\n\n"]),
        ("command-r", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'", "S", " 世界", "!", "\n\n"]),
        ("tekken", ["Is", "Xml", " ", "1", "2", "3", "4", "5", " it", "'S", " 世界", "!\n\n"]),
        ("gpt-4o", ["Is", "Xml", " ", "123", "45", " it'S", " 世界", "!\n\n"]),
        ("kimi-k2", ["Is", "Xml", " ", "123", "45", " it'S", " ", "世界", "!\n\n"]),
        ("glm4", ["IsXml", " ", "123", "45", " it", "'S", " 世界", "!\n\n"]),
        ("qwen35", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'S", " 世界", "!\n\n"]),
        ("seed-coder", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'S", " 世界", "!", "\n\n"]),
        ("bailingmoe", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'S", " 世界", "!\n\n"]),
        ("exaone-moe", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'S", " 世界", "!\n", "\n"]),
        ("deepseek-v3", ["IsXml", " ", "123", "45", " it", "'S", " ", "世界", "!\n\n"]),
        ("deepseek-llm", ["IsXml", " ", "12345", " it", "'", "S", " ", "世界", "!", "\n", "\n"]),
        ("deepseek-coder", ["IsXml", " ", "1", "2", "3", "4", "5", " it", "'", "S", " ", "世界", "!", "\n", "\n"]),
        ("superbpe", ["IsXml ", "12", "345", " it'S 世界!\n\n"]),
    ],
)
def test_each_family_splits_words_numbers_and_ideographs_as_llama_cpp_does(pre: str, pieces: list[str]) -> None:
    """The text has an inner capital, a number, an upper-case contraction, ideographs and two line ends."""
    split = Tokenizer.from_str(json.dumps(PLAIN_TOKENIZER | {"pre_tokenizer": PRE_TOKENIZERS[pre].settings}))
    assert isinstance(split.pre_tokenizer, pre_tokenizers.PreTokenizer)
    encoded = [piece for piece, _ in split.pre_tokenizer.pre_tokenize_str("IsXml 12345 it'S 世界!\n\n")]
    assert [bytes(bytes_by_letter()[letter] for letter in piece).decode() for piece in encoded] == pieces


@pytest.mark.parametrize("pre", ["afmoe", "rumor"])
def test_an_unsupported_pre_tokenizer_is_refused_by_name(pre: str) -> None:
    """The description of the file shows the same reason as the import."""
    with pytest.raises(UnsupportedModel, match=pre):
        check_tokenizer(Metadata(tiny_tokenizer(pre)))


@pytest.mark.parametrize("model", ["rwkv", "bert", "t5"])
def test_another_kind_of_tokenizer_is_refused_by_name(model: str) -> None:
    """Only the two kinds of BPE can be imported."""
    with pytest.raises(UnsupportedModel, match=model):
        check_tokenizer(Metadata(tiny_tokenizer() | {"tokenizer.ggml.model": model}))


def test_the_end_token_is_added_as_the_file_defines(tmp_path: Path) -> None:
    """A file with `add_eos_token` ends every text with the end token."""
    written = tiny_model()
    written.metadata["tokenizer.ggml.add_eos_token"] = True
    assert tokenizer_of(written, tmp_path).encode("the").ids[-1] == 2


def test_the_token_that_ends_a_turn_ends_an_answer_too(tmp_path: Path) -> None:
    """Gemma's files define only the end of a text, so the model would otherwise write the user's next turn."""
    written = tiny_model()
    written.metadata["tokenizer.ggml.eos_token_id"] = 0
    folder = import_file(written.write(tmp_path / "model.gguf"), tmp_path / "model")
    assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"] == [0, 2]


@pytest.mark.parametrize(
    ("templates", "expected"),
    [
        ({"": "plain", ".tool_use": "tools"}, "plain"),
        ({".tool_use": "tools", ".rag": "documents"}, "tools"),
        ({".tool_use": "tools", ".chat": "chat"}, "chat"),
        ({}, None),
    ],
)
def test_the_template_for_chats_is_written(templates: dict[str, str], expected: str | None, tmp_path: Path) -> None:
    """A file can have several, with names."""
    file = tiny_model()
    file.metadata = {key: value for key, value in file.metadata.items() if "chat_template" not in key}
    file.metadata |= {f"tokenizer.chat_template{name}": text for name, text in templates.items()}
    folder = import_file(file.write(tmp_path / "tiny.gguf"), tmp_path / "tiny")
    assert json.loads((folder / "tokenizer_config.json").read_text()).get("chat_template") == expected
