from pathlib import Path

import pytest

from mlx_engine.models.description.card import CardMetadata, read_card


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("---\nlicense: apache-2.0\nbase_model: a/b\n---\n# Card\n", CardMetadata("apache-2.0", "a/b")),
        ('---\r\nlicense: "mit"\r\n---\r\n', CardMetadata("mit")),
        ("---\nbase_model:\n- a/b\n- c/d\n---\n", CardMetadata("", "a/b")),
        ("---\nlicense: other\nlicense_name: llama3.2\n---\n", CardMetadata("llama3.2")),
        ("---\nlicense: other\n---\n", CardMetadata("other")),
        ("---\nlicense: mit\n", CardMetadata("mit")),
        ("---\nlicense: <b>mit</b>\nbase_model: \x1b[31m\n---\n", CardMetadata()),
        ("# License: mit\nlicense: mit\n", CardMetadata()),
        ("---\n---\nlicense: mit\n", CardMetadata()),
        ("", CardMetadata()),
    ],
)
def test_front_matter_has_license_and_base_model(text: str, card: CardMetadata, tmp_path: Path) -> None:
    """Only plain names count."""
    (tmp_path / "README.md").write_text(text)
    assert read_card(tmp_path) == card


def test_a_missing_card_is_not_an_error(tmp_path: Path) -> None:
    assert read_card(tmp_path) == CardMetadata()
