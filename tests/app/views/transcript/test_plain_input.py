from app.views.transcript.plain_input import PlainInput


def test_typed_text_is_shown_verbatim() -> None:
    """A pasted comment is not a heading, underscores are not emphasis, and lines keep their indentation."""
    (top,) = PlainInput().top_blocks("# include\n  __init__ *x*")
    assert [(block.kind, block.text) for block in top.blocks] == [("paragraph", "# include\n  __init__ *x*")]
    assert {token.type for token in PlainInput().inline(top.blocks[0].text)} == {"text"}


def test_fences_code_formulas_and_links_are_rendered() -> None:
    """Their syntax is unambiguous."""
    tops = PlainInput().top_blocks("look:\n```py\nx\n\ny\n```\nand")
    assert [(block.kind, block.text, block.language) for top in tops for block in top.blocks] == [
        ("paragraph", "look:", ""),
        ("code", "x\n\ny", "py"),
        ("paragraph", "and", ""),
    ]
    assert [token.type for token in PlainInput().inline("`a` $b$ https://c.org")] == [
        "code_inline", "text", "maths", "text", "link_open", "text", "link_close",
    ]  # fmt: skip
