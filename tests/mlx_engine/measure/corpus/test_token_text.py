"""What tokens say, alone and in their place."""

from typing import Any

from mlx_engine.measure.corpus.token_text import alone, pieces


def test_a_piece_of_a_character_is_told_by_its_bytes(original: Any) -> None:
    """Alone; in a text its character comes whole with the last of them."""
    ids = original.tokenizer.encode("A 船.", add_special_tokens=False)
    bytes_of_boat = "".join(rf"\x{byte:02x}" for byte in "船".encode())
    told = "".join(alone(original.tokenizer, one) for one in ids)
    assert told == f"A {bytes_of_boat}."
    assert "".join(pieces(original.tokenizer, ids)) == "A 船."
    assert list(pieces(original.tokenizer, ids))[-4:] == ["", "", "船", "."]


def test_a_byte_of_sentencepiece_is_told_too() -> None:
    class Llama:
        """As the tokenizers of Llama 2 write bytes."""

        def decode(self, _ids: list[int]) -> str:
            return "\ufffd"

        def convert_ids_to_tokens(self, _token: int) -> str:
            return "<0xE8>"

    assert alone(Llama(), 5) == r"\xe8"


def test_a_token_that_is_no_bytes_stays(original: Any) -> None:
    assert alone(original.tokenizer, original.tokenizer.eos_token_id) == "<|im_end|>"
