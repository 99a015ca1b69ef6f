"""Text of generated tokens."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlx_lm.tokenizer_utils import TokenizerWrapper
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from mlx_engine.inference.detokenizer import Detokenizer
from tests.byte_tokenizer import byte_tokenizer

WORDS = ("▁a", "▁the", "b", "▁", "▁▁▁▁", "\n", ".", "语", "é", "▁,", "'s")


def sentence_piece_tokenizer(*, strips: bool = True) -> Any:
    """Return a tokenizer with the decoder of SentencePiece models: words, and bytes for all other characters."""
    pieces = [*(f"<0x{byte:02X}>" for byte in range(256)), *WORDS]
    backend = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]))
    steps: list[Any] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*steps, *([decoders.Strip(" ", 1, 0)] if strips else [])])
    backend.add_special_tokens(["</s>"])
    return TokenizerWrapper(PreTrainedTokenizerFast(tokenizer_object=backend))


TOKENIZERS = {
    "bytes": byte_tokenizer(["<|end|>"], ["<think>"]),
    "SentencePiece": sentence_piece_tokenizer(),
    "SentencePiece without stripping": sentence_piece_tokenizer(strips=False),
}


def stream(tokenizer: Any, tokens: Iterable[int]) -> str:
    detokenizer = Detokenizer(tokenizer)
    return "".join([detokenizer.add(token) for token in tokens] + [detokenizer.finish()])


@pytest.mark.parametrize("name", TOKENIZERS)
@given(data=st.data())
def test_the_text_is_that_of_all_tokens_decoded_at_once(name: str, data: st.DataObject) -> None:
    """For tokens of complete characters."""
    tokenizer = TOKENIZERS[name]
    texts = data.draw(
        st.lists(st.sampled_from(["a", " b", "  ", "\n", "é", "语", "👩‍👩‍👧", "e\u0301", "<think>"]), max_size=12)
    )
    if name == "bytes":
        tokens = tokenizer.encode("".join(texts), add_special_tokens=False)
    else:
        words = {word: tokenizer.convert_tokens_to_ids(word) for word in WORDS}
        tokens = [token for text in texts for token in ([words[text]] if text in words else list(text.encode()))]
    assert stream(tokenizer, tokens) == tokenizer.decode(tokens, skip_special_tokens=False)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(tokens=st.lists(st.integers(0, 255), max_size=30))
def test_bytes_that_are_no_text_do_not_hold_back_the_rest(name: str, tokens: list[int]) -> None:
    tokenizer = TOKENIZERS[name]
    assert stream(tokenizer, [*tokens, tokenizer.convert_tokens_to_ids("b")]).endswith("b")


def test_half_a_character_waits_for_the_other_half() -> None:
    tokenizer = TOKENIZERS["bytes"]
    detokenizer = Detokenizer(tokenizer)
    *first, last = tokenizer.encode("语", add_special_tokens=False)
    assert [detokenizer.add(token) for token in first] == ["", ""]
    assert detokenizer.add(last) == "语"


@pytest.mark.parametrize("text", ["größe", "¡Hola", "été", "naïve"])
def test_an_added_token_is_shown_as_it_is(text: str) -> None:
    """Its letters do not stand for bytes, though they are among those that do in the vocabulary."""
    tokenizer = byte_tokenizer(plain=[text])
    assert stream(tokenizer, tokenizer.encode(f"a {text} b", add_special_tokens=False)) == f"a {text} b"


def test_indentation_is_kept() -> None:
    tokenizer = TOKENIZERS["SentencePiece"]
    tokens = [tokenizer.convert_tokens_to_ids(piece) for piece in ("b", "\n", "▁▁▁▁", "b")]
    assert stream(tokenizer, tokens) == "b\n    b"


def test_spaces_before_punctuation_are_kept() -> None:
    """transformers removes them for some tokenizers, which changes code."""
    tokenizer = TOKENIZERS["SentencePiece"]
    tokens = [tokenizer.convert_tokens_to_ids(piece) for piece in ("b", "▁,", "▁", ".", "'s")]
    assert stream(tokenizer, tokens) == "b , .'s"


def test_an_unknown_token_has_no_text() -> None:
    """Networks are often padded to a rounder number of outputs."""
    assert stream(TOKENIZERS["bytes"], [99_999]) == ""
