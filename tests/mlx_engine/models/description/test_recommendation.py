"""Sampling values recommended by a model."""

import json
from pathlib import Path

import pytest

from mlx_engine.models.description.recommendation import recommended, with_recommended
from mlx_engine.sampling import Sampling


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"temperature": 0.6, "top_p": 0.95, "top_k": 20}, {"temperature": 0.6, "top_p": 0.95, "top_k": 20}),
        ({"eos_token_id": 2, "max_length": 5}, {}),
        ({"temperature": None, "top_k": "many", "top_p": 7, "min_p": 0.1}, {"min_p": 0.1}),
        ({"do_sample": False}, {"temperature": 0.0}),
        ({"do_sample": True, "temperature": 1}, {"temperature": 1}),
    ],
)
def test_valid_values_are_recommended(tmp_path: Path, values: dict[str, object], expected: dict[str, float]) -> None:
    """By Facet's names; values out of range are omitted."""
    (tmp_path / "generation_config.json").write_text(json.dumps(values))
    assert recommended(tmp_path) == expected


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 50_000, b" " * 100_000])
def test_a_damaged_file_recommends_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "generation_config.json").write_bytes(content)
    assert recommended(tmp_path) == {}


def test_without_a_file_nothing_is_recommended(tmp_path: Path) -> None:
    assert recommended(tmp_path) == {}


def test_values_set_by_the_user_stay() -> None:
    """Only defaults are replaced."""
    chosen = Sampling(temperature=0.9)
    assert with_recommended(chosen, {"temperature": 0.2, "top_p": 0.5}) == Sampling(temperature=0.9, top_p=0.5)
