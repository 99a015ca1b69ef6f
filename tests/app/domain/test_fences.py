"""Fences around code, and inside of each other."""

import pytest

from app.domain.fences import close_fences


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("```py\nx = 1", "\n```"),
        ("```py\nx = 1\n```", ""),
        ("```py\nx = 1\n```\ntext", ""),
        ("~~~~\nx", "\n~~~~"),
        ("````md\n```\nx\n```", "\n````"),
        ("```markdown\n```py\nx\n```\nmore", "\n```"),
        ("```markdown\n```py\nx", "\n```\n```"),
        ("```markdown\n```py\nx\n```\n```", ""),
        ("1. ```py\n   x", "\n   ```"),
        ("> ```\n> x", "\n> ```"),
        ("`code`", ""),
        ("```inline``` code", ""),
        ("", ""),
    ],
)
def test_a_fence_without_an_end_gets_one(text: str, ending: str) -> None:
    """Also one in a list or a quote, and the outer one of nested fences."""
    assert close_fences(text) == text + ending
