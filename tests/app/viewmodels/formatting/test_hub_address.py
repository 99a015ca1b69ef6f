"""Addresses of the Hub."""

import pytest

from app.viewmodels.formatting.hub_address import repository_in


@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/mlx-community/Qwen3-0.6B-4bit",
        " https://huggingface.co/mlx-community/Qwen3-0.6B-4bit/ \n",
        "https://hf.co/mlx-community/Qwen3-0.6B-4bit?library=mlx",
        "http://www.huggingface.co/mlx-community/Qwen3-0.6B-4bit/tree/main#files",
    ],
)
def test_the_address_of_a_model_names_its_repository(address: str) -> None:
    """Whatever page of it was dragged out of the browser."""
    assert repository_in(address) == "mlx-community/Qwen3-0.6B-4bit"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mlx-community/Qwen3-0.6B-4bit",
        "https://huggingface.co/mlx-community",
        "https://huggingface.co/datasets/owner/name",
        "https://huggingface.co.example.org/owner/name",
        "https://example.org/huggingface.co/owner/name",
        "https://huggingface.co/owner/na me",
    ],
)
def test_other_texts_name_none(text: str) -> None:
    """Other sites above all."""
    assert repository_in(text) == ""
