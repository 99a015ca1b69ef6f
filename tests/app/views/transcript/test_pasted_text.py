from app.views.transcript.pasted_text import Typed


def test_what_is_typed_is_shown_as_it_was_typed() -> None:
    """A pasted comment is no heading, underscores are no emphasis, and lines keep their indentation."""
    (top,) = Typed().top_blocks("# include\n  __init__ *x*")
    assert [(block.kind, block.text) for block in top.blocks] == [("paragraph", "# include\n  __init__ *x*")]
    assert {token.type for token in Typed().inline(top.blocks[0].text)} == {"text"}


def test_fences_code_formulas_and_links_are_shown_as_such() -> None:
    """They say what they are without doubt."""
    tops = Typed().top_blocks("look:\n```py\nx\n\ny\n```\nand")
    assert [(block.kind, block.text, block.language) for top in tops for block in top.blocks] == [
        ("paragraph", "look:", ""),
        ("code", "x\n\ny", "py"),
        ("paragraph", "and", ""),
    ]
    assert [token.type for token in Typed().inline("`a` $b$ https://c.org")] == [
        "code_inline", "text", "maths", "text", "link_open", "text", "link_close",
    ]  # fmt: skip
