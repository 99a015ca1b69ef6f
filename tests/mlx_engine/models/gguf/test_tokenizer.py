"""The tokenizer of the starter model, compared with a byte-level BPE written from its definition."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoTokenizer

from mlx_engine.models.gguf.header import read_header
from mlx_engine.models.library.starter import starter_gguf
from tests.gguf_files import GGUFFile, imported, tiny_model, tiny_tokenizer

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
    """Byte-level BPE as it is defined: split, turn bytes into letters, join the pair of lowest rank until none is."""

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
        found = []
        for piece in self.special.split(text):
            if self.special.fullmatch(piece):
                found.append(self.ids[piece])
            else:
                words = (word for part in self._parts(piece) for word in regex.findall(GPT2_PATTERN, part))
                found += [self.ids[token] for word in words for token in self._merged(word)]
        return found

    @staticmethod
    def _parts(text: str) -> list[str]:
        """Cut out each digit by itself, as the kind "smollm" does."""
        return [part for part in regex.split(r"(\p{N})", text) if part]

    def _merged(self, word: str) -> list[str]:
        letters = byte_letters()
        # Rare control characters and bytes that UTF-8 never uses have no token here: the model never saw them.
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


@cache
def byte_letters() -> dict[int, str]:
    """Return the letter that stands for each byte: itself where it can be printed, else the next from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}


@pytest.fixture(scope="module")
def plain() -> PlainBPE:
    return PlainBPE()


@pytest.mark.parametrize("text", CORPUS)
def test_the_ids_are_those_of_the_definition(text: str, starter_tokenizer: Tokenizer, plain: PlainBPE) -> None:
    """Many scripts, code, digits, emoji, control characters and special tokens give the ids of plain BPE."""
    assert starter_tokenizer.encode(text).ids == plain.encode(text)


@pytest.mark.parametrize("text", CORPUS)
def test_a_text_survives_the_round_trip(text: str, starter_tokenizer: Tokenizer) -> None:
    """Decoding the ids gives the very text."""
    assert starter_tokenizer.decode(starter_tokenizer.encode(text).ids, skip_special_tokens=False) == text


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_has_the_ids_of_the_definition(text: str, starter_tokenizer: Tokenizer, plain: PlainBPE) -> None:
    """So does any text at all, but for letters that one of the two Unicode tables is too old to know."""
    assume(not regex.search(r"\p{Cn}", text))
    assert starter_tokenizer.encode(text).ids == plain.encode(text)


def test_transformers_reads_the_same_tokenizer(starter_model: Path, starter_tokenizer: Tokenizer) -> None:
    """What stock mlx_lm uses gives the same ids, and adds no token of its own."""
    stock = AutoTokenizer.from_pretrained(starter_model)
    for text in CORPUS:
        assert stock.encode(text) == starter_tokenizer.encode(text).ids
    assert (stock.bos_token_id, stock.eos_token_id, stock.pad_token_id) == (1, 2, 2)


def test_the_chat_template_is_the_files(starter_model: Path) -> None:
    """A question becomes ChatML, opened by the system message that the model was trained with."""
    stock = AutoTokenizer.from_pretrained(starter_model)
    prompt = stock.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True)
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert prompt.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")


def tokenizer_of(written: GGUFFile, tmp_path: Path) -> Tokenizer:
    folder = imported(written.write(tmp_path / "model.gguf"), tmp_path / "model")
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def test_control_tokens_are_special_and_the_users_are_not(tmp_path: Path) -> None:
    """Both are found in a text whole; only control tokens are left out of an answer."""
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
def test_each_kind_splits_numbers_in_its_way(pre: str, pieces: list[str], tmp_path: Path) -> None:
    """Numbers stay whole, are cut into digits or into threes."""
    written = tiny_model()
    written.metadata |= tiny_tokenizer(pre)
    tokenizer = tokenizer_of(written, tmp_path)
    split = tokenizer.pre_tokenizer
    assert isinstance(split, pre_tokenizers.PreTokenizer)
    assert [piece for piece, _ in split.pre_tokenize_str("Ab 12345 x's  y")] == pieces


@pytest.mark.parametrize(
    ("pre", "flag", "begins"),
    [("llama-bpe", None, True), ("llama-bpe", False, False), ("smollm", None, False), ("smollm", True, True)],
)
def test_a_text_begins_as_the_file_says(pre: str, flag: bool | None, begins: bool, tmp_path: Path) -> None:
    """The bos token comes first if the file says so, or if it says nothing and its kind does."""
    written = tiny_model()
    written.metadata |= tiny_tokenizer(pre) | ({} if flag is None else {"tokenizer.ggml.add_bos_token": flag})
    assert (tokenizer_of(written, tmp_path).encode("the").ids[0] == 1) is begins
