from pathlib import Path

import pytest

from mlx_engine.models.description.card import Card, read_card


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("---\nlicense: apache-2.0\nbase_model: a/b\n---\n# Card\n", Card("apache-2.0", "a/b")),
        ('---\r\nlicense: "mit"\r\n---\r\n', Card("mit")),
        ("---\nbase_model:\n- a/b\n- c/d\n---\n", Card("", "a/b")),
        ("---\nlicense: other\nlicense_name: llama3.2\n---\n", Card("llama3.2")),
        ("---\nlicense: other\n---\n", Card("other")),
        ("---\nlicense: mit\n", Card("mit")),
        ("---\nlicense: <b>mit</b>\nbase_model: \x1b[31m\n---\n", Card()),
        ("# License: mit\nlicense: mit\n", Card()),
        ("---\n---\nlicense: mit\n", Card()),
        ("", Card()),
    ],
)
def test_the_front_matter_says_licence_and_base_model(text: str, card: Card, tmp_path: Path) -> None:
    """Only what stands there, and only as far as it is a plain name."""
    (tmp_path / "README.md").write_text(text)
    assert read_card(tmp_path) == card


def test_no_card_says_nothing(tmp_path: Path) -> None:
    """A folder without a card is no error."""
    assert read_card(tmp_path) == Card()
