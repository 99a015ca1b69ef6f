"""Decoding tokens, single and in context."""

from typing import Any

from mlx_engine.measure.corpus.token_text import decode_pieces, decode_token


def test_part_of_a_character_is_written_as_bytes(original: Any) -> None:
    """In context, the last token of the character yields all of it."""
    ids = original.tokenizer.encode("A 船.", add_special_tokens=False)
    bytes_of_boat = "".join(rf"\x{byte:02x}" for byte in "船".encode())
    tokens = "".join(decode_token(original.tokenizer, token) for token in ids)
    assert tokens == f"A {bytes_of_boat}."
    assert "".join(decode_pieces(original.tokenizer, ids)) == "A 船."
    assert list(decode_pieces(original.tokenizer, ids))[-4:] == ["", "", "船", "."]


def test_a_byte_token_of_sentencepiece_is_written_as_bytes() -> None:
    class Llama:
        """Names byte tokens as Llama 2's tokenizer does."""

        def decode(self, _ids: list[int]) -> str:
            return "\ufffd"

        def convert_ids_to_tokens(self, _token: int) -> str:
            return "<0xE8>"

    assert decode_token(Llama(), 5) == r"\xe8"


def test_a_special_token_keeps_its_name(original: Any) -> None:
    assert decode_token(original.tokenizer, original.tokenizer.eos_token_id) == "<|im_end|>"
