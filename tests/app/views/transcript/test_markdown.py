import pytest

from app.views.transcript.blocks import Block
from app.views.transcript.markdown import Markdown


@pytest.fixture(scope="module")
def markdown() -> Markdown:
    return Markdown()


def blocks(markdown: Markdown, text: str) -> list[Block]:
    return [block for top in markdown.top_blocks(text) for block in top.blocks]


def types(markdown: Markdown, text: str) -> list[str]:
    return [token.type for token in markdown.inline(text)]


def test_nested_blocks_are_flat_and_know_their_nesting(markdown: Markdown) -> None:
    """A list item's marker stands with its first block; code in a list keeps its place in the list."""
    found = blocks(markdown, "3. one\n\n   ```c\n   x;\n   ```\n   - [x] done\n\n> said\n> > deep")
    assert [(block.kind, block.nesting, block.marker, block.text) for block in found] == [
        ("paragraph", "l", "3.", "one"),
        ("code", "l", "", "x;"),
        ("paragraph", "ll", "☑", "done"),
        ("paragraph", "q", "", "said"),
        ("paragraph", "qq", "", "deep"),
    ]


def test_a_marker_without_text_has_a_line_of_its_own(markdown: Markdown) -> None:
    """A list item that begins with code still shows its number."""
    assert [(block.kind, block.marker) for block in blocks(markdown, "1. ```\n   x\n   ```")] == [
        ("paragraph", "1."),
        ("code", ""),
    ]


def test_tables_have_rows_and_alignments(markdown: Markdown) -> None:
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
def test_formulas_are_told_from_prices(markdown: Markdown, text: str, latex: list[str]) -> None:
    """Dollars mean a formula only where they hug it."""
    assert [token.content for token in markdown.inline(text) if token.type == "maths"] == latex


@pytest.mark.parametrize("text", ["so:\n\\[ x \\]\nmore", "so:\n$$\nx\n$$\nmore", "so:\n$$x$$\nmore"])
def test_a_formula_may_follow_a_line_of_text(markdown: Markdown, text: str) -> None:
    """No empty line is needed around a displayed formula."""
    assert [(block.kind, block.text) for block in blocks(markdown, text)] == [
        ("paragraph", "so:"),
        ("maths", "x"),
        ("paragraph", "more"),
    ]


def test_a_formula_without_an_end_is_text(markdown: Markdown) -> None:
    """It ends at an empty line, so that it does not take the rest of the answer."""
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
def test_links_are_found_whole(markdown: Markdown, text: str, address: str) -> None:
    """A bare address keeps its underscores and loses the sentence's punctuation."""
    found = [token.attrs["href"] for token in markdown.inline(text) if token.type == "link_open"]
    assert found == [address]


@pytest.mark.parametrize("text", ["[x](javascript:alert(1))", "ahttps://a.org", "`https://a.org`", "https://"])
def test_what_is_no_link_stays_text(markdown: Markdown, text: str) -> None:
    """Scripts, halves of addresses and code are not links."""
    assert "link_open" not in types(markdown, text)


def test_html_is_text(markdown: Markdown) -> None:
    """Tags are shown, never obeyed."""
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
def test_what_would_take_too_long_is_plain_text(markdown: Markdown, text: str) -> None:
    """Nothing of it is lost."""
    found = blocks(markdown, text)
    assert {block.kind for block in found} == {"plain"}
    assert "".join(block.text for block in found).replace("\n", "") == text.replace("\n", "").rstrip()


def test_tangled_brackets_are_not_parsed(markdown: Markdown) -> None:
    """Looking for links in them would take the square of their number."""
    assert [token.content for token in markdown.inline("[" * 5_000)] == ["[" * 5_000]
