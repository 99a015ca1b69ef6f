import pytest

from app.views.transcript.blocks import Block
from app.views.transcript.markdown import MarkdownParser


@pytest.fixture(scope="module")
def markdown() -> MarkdownParser:
    return MarkdownParser()


def blocks(markdown: MarkdownParser, text: str) -> list[Block]:
    return [block for top in markdown.top_blocks(text) for block in top.blocks]


def token_types(markdown: MarkdownParser, text: str) -> list[str]:
    return [token.type for token in markdown.inline(text)]


def test_nested_blocks_are_flat_with_their_nesting(markdown: MarkdownParser) -> None:
    """The marker of a list item belongs to its first block; code in a list keeps its nesting."""
    flat = blocks(markdown, "3. one\n\n   ```c\n   x;\n   ```\n   - [x] done\n\n> said\n> > deep")
    assert [(block.kind, block.nesting, block.marker, block.text) for block in flat] == [
        ("paragraph", "l", "3.", "one"),
        ("code", "l", "", "x;"),
        ("paragraph", "ll", "☑", "done"),
        ("paragraph", "q", "", "said"),
        ("paragraph", "qq", "", "deep"),
    ]


def test_a_marker_without_text_has_its_own_line(markdown: MarkdownParser) -> None:
    """A list item that starts with code still shows its number."""
    assert [(block.kind, block.marker) for block in blocks(markdown, "1. ```\n   x\n   ```")] == [
        ("paragraph", "1."),
        ("code", ""),
    ]


def test_tables_have_rows_and_alignments(markdown: MarkdownParser) -> None:
    """The header is the first row; a cell keeps its Markdown."""
    (table,) = blocks(markdown, "| a | **b** |\n|---|:-:|\n| 1 | 2 |")
    assert (table.rows, table.alignments) == ((("a", "**b**"), ("1", "2")), ("left", "center"))


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("costs $5 and $6", []),
        ("US$5 or CA$6", []),
        ("$x$ and $ y$", ["x"]),
        (r"\(a\) and \[b\] and $$c$$", ["a", "b", "c"]),
        (r"escaped \$x$ and `$y$`", []),
        ("in $n$ steps, for $10 a month", ["n"]),
    ],
)
def test_prices_are_not_formulas(markdown: MarkdownParser, text: str, latex: list[str]) -> None:
    """Dollar signs delimit a formula only without spaces inside."""
    assert [token.content for token in markdown.inline(text) if token.type == "maths"] == latex


@pytest.mark.parametrize("text", ["so:\n\\[ x \\]\nmore", "so:\n$$\nx\n$$\nmore", "so:\n$$x$$\nmore"])
def test_a_formula_may_follow_a_line_of_text(markdown: MarkdownParser, text: str) -> None:
    """No empty line is needed around a displayed formula."""
    assert [(block.kind, block.text) for block in blocks(markdown, text)] == [
        ("paragraph", "so:"),
        ("maths", "x"),
        ("paragraph", "more"),
    ]


def test_a_formula_without_an_end_is_text(markdown: MarkdownParser) -> None:
    """It ends at an empty line, and does not swallow the rest of the answer."""
    assert [block.kind for block in blocks(markdown, "$$ x\n\n# Title")] == ["paragraph", "heading"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://a.org/b_c_(d)?x=1&copy=2.", "https://a.org/b_c_(d)?x=1&copy=2"),
        ("(https://a.org)", "https://a.org"),
        ("**https://a.org**", "https://a.org"),
        ("[t](http://a.org)", "http://a.org"),
    ],
)
def test_bare_links_are_complete(markdown: MarkdownParser, text: str, address: str) -> None:
    """An address keeps its underscores, without the punctuation of the sentence."""
    links = [token.attrs["href"] for token in markdown.inline(text) if token.type == "link_open"]
    assert links == [address]


@pytest.mark.parametrize("text", ["[x](javascript:alert(1))", "ahttps://a.org", "`https://a.org`", "https://"])
def test_other_text_is_not_a_link(markdown: MarkdownParser, text: str) -> None:
    """Scripts, partial addresses and code are not links."""
    assert "link_open" not in token_types(markdown, text)


def test_html_is_text(markdown: MarkdownParser) -> None:
    """Tags are shown, not rendered."""
    assert [token.content for token in markdown.inline("<b>x</b>")] == ["<b>x</b>"]
    assert [block.kind for block in blocks(markdown, "<div>\nx\n</div>")] == ["paragraph"]


@pytest.mark.parametrize(
    "text",
    [
        "|" + "a|" * 10_000 + "\n|" + "-|" * 10_000 + "\n",
        ">" * 5_000 + " deep",
        "- " * 5_000 + "deep",
        "x" * 100_000,
    ],
    ids=["columns", "quotes", "lists", "word"],
)
def test_input_with_slow_layout_is_plain_text(markdown: MarkdownParser, text: str) -> None:
    """No character is lost."""
    flat = blocks(markdown, text)
    assert {block.kind for block in flat} == {"plain"}
    assert "".join(block.text for block in flat).replace("\n", "") == text.replace("\n", "").rstrip()


def test_tangled_brackets_are_not_parsed(markdown: MarkdownParser) -> None:
    """Finding links in them would take quadratic time."""
    assert [token.content for token in markdown.inline("[" * 5_000)] == ["[" * 5_000]
