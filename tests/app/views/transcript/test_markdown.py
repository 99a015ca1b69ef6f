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


@pytest.mark.parametrize(
    "text",
    [
        "**注意\uff1a**请看",
        "这很**“重要”**的",
        "문서는 **마크다운(Markdown)**을 쓴다",
        "これは**「強調」**です",
        "这是~~（错的）~~对的",
        "看**`x`**吧",
    ],
)
def test_emphasis_works_without_spaces_around_words(markdown: MarkdownParser, text: str) -> None:
    """In Chinese, Japanese and Korean, with punctuation of these languages or of others."""
    assert {"strong_open", "s_open"} & set(token_types(markdown, text))


@pytest.mark.parametrize("text", ["2 * 3 * 4", "snake_case_name", "a ** b", "**（ 空 ）", "中文_名_字"])
def test_other_asterisks_and_underscores_are_text(markdown: MarkdownParser, text: str) -> None:
    assert not {"strong_open", "em_open"} & set(token_types(markdown, text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```markdown\n# T\n```py\nx\n```\nmore\n```\nafter", ["# T\n```py\nx\n```\nmore", "after"]),
        ("````md\n```py\nx\n```\n````\nafter", ["```py\nx\n```", "after"]),
        ("~~~\n```\nx\n```\n~~~", ["```\nx\n```"]),
        ("```py\nx\n```\n```js\ny\n```", ["x", "y"]),
        ("```sh\ncat <<E\n```\nafter", ["cat <<E", "after"]),
        ("- ```md\n  ```py\n  x\n  ```\n  ```\n- next", ["", "```py\nx\n```", "next"]),
        ("```md\n```py\nx", ["```py\nx"]),
    ],
)
def test_a_fence_can_contain_fences(markdown: MarkdownParser, text: str, expected: list[str]) -> None:
    """A fence of the same length with a language opens an inner one in Markdown and plain text."""
    assert [block.text for block in blocks(markdown, text)] == expected


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| $|x|$ | 1 |", ("$|x|$", "1")),
        (r"| $\|x\|$ | 1 |", (r"$\|x\|$", "1")),
        ("| `a | b` | 1 |", ("`a | b`", "1")),
        (r"| `a \| b` | 1 |", ("`a | b`", "1")),
        (r"| a \| b | 1 |", ("a | b", "1")),
        ("| a | b | c |", ("a", "b | c")),
        ("| a |", ("a", "")),
        ("| ` | ` |", ("`", "`")),
        ("| $5 | $6 |", ("$5", "$6")),
        (r"| \(|y|\) | 2 |", (r"\(|y|\)", "2")),
        ("a | b", ("a", "b")),
    ],
)
def test_no_cell_of_a_table_is_lost(markdown: MarkdownParser, row: str, cells: tuple[str, ...]) -> None:
    """Pipes in formulas and code do not separate cells, and cells too many are joined in the last one."""
    (table,) = blocks(markdown, f"| f | v |\n|---|---|\n{row}")
    assert table.rows[1] == cells


@pytest.mark.parametrize("text", ["a | b\n\n--- | ---", "| a |\n| b |", "a\n---", "| a | b |\n|---|\n", "- a\n- b"])
def test_other_text_with_pipes_and_dashes_is_no_table(markdown: MarkdownParser, text: str) -> None:
    assert "table" not in [block.kind for block in blocks(markdown, text)]


def test_a_table_ends_at_another_block(markdown: MarkdownParser) -> None:
    text = "| a |\n|---|\n| 1 |\n> quote"
    assert [block.kind for block in blocks(markdown, text)] == ["table", "paragraph"]


def test_labels_of_footnotes_are_recognized(markdown: MarkdownParser) -> None:
    """The colon of a definition is a part of the label; links and code are not labels."""
    tokens = markdown.inline("See[^1] and [^note].\n[^1]: Source\n`[^2]` [^](x)")
    assert [token.content for token in tokens if token.type == "footnote"] == ["1", "note", "1"]
    assert " Source" in [token.content for token in tokens]
