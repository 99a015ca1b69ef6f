from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.tokenizer import write_tokenizer

_pieces = ["<unk>", "<s>", "</s>", "<0xE2>", "<0x82>", "<0xAC>", "▁", "a", "b", "c", "ab", "bc", "▁ab", "abc"]
_scores = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.0, -8.0, -7.0, -6.0, -3.0, -2.0, -4.0, -5.0]
_kinds = [2, 3, 3, 6, 6, 6, *[1] * 8]


def _metadata(**changes: Any) -> dict[str, Any]:
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": _pieces,
        "tokenizer.ggml.scores": _scores,
        "tokenizer.ggml.token_type": _kinds,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        **{f"tokenizer.ggml.{name}": value for name, value in changes.items()},
    }


def _tokenizer(folder: Path, **changes: Any) -> Tokenizer:
    write_tokenizer(Metadata(_metadata(**changes)), folder)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ab", ["<s>", "▁ab"]),
        ("bca", ["<s>", "▁", "bc", "a"]),
        ("abc", ["<s>", "▁", "abc"]),  # "bc" first, then "a" and "bc".
        ("a b", ["<s>", "▁", "a", "▁", "b"]),
        ("a€", ["<s>", "▁", "a", "<0xE2>", "<0x82>", "<0xAC>"]),
    ],
)
def test_the_neighbors_with_the_best_score_are_joined(text: str, pieces: list[str], tmp_path: Path) -> None:
    assert _tokenizer(tmp_path).encode(text).tokens == pieces


@pytest.mark.parametrize("adds_space", [True, False])
def test_a_text_survives_both_ways(adds_space: bool, tmp_path: Path) -> None:
    tokenizer = _tokenizer(tmp_path, add_space_prefix=adds_space)
    assert tokenizer.decode(tokenizer.encode("abc a€b  c").ids) == "abc a€b  c"


def test_the_space_and_the_start_token_can_be_left_out(tmp_path: Path) -> None:
    assert _tokenizer(tmp_path, add_space_prefix=False, add_bos_token=False).encode("ab").tokens == ["ab"]


def test_pieces_with_equal_scores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="equal scores"):
        _tokenizer(tmp_path, scores=[0.0] * len(_pieces))


def test_lists_of_different_lengths_are_damage(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="different lengths"):
        _tokenizer(tmp_path, scores=[-1.0, -2.0])
