"""Strategies: pieces of Markdown in arbitrary order, and arbitrary cuts of a text."""

from hypothesis import strategies as st

PIECES = (
    "# Title\n", "word ", "**bold** ", "*", "`code` ", "\n", "\n\n", "- item\n", "  - deeper\n", "1. one\n",
    "> quote\n", "```python\n", "```\n", "~~~\n", "    indented\n", "| a | b |\n", "|---|--:|\n", "| 1 | 2 |\n",
    "---\n", "===\n", "$x^2$ ", "$$\n", "$$ y $$\n", "\\[ z \\]\n", "\\(q\\) ", "$5 ", "[t](https://a.org) ",
    "https://b.org/c_d ", "- [ ] task\n", "<b>", "![i](https://c.org/i.png) ", "\r\n", "🎉", "مرحبا ", "\t", "\x00",
    "2) two\n", "text\nmore\n",
)  # fmt: skip

markdown_texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@st.composite
def chunked(draw: st.DrawFn) -> list[str]:
    """Return a text in arbitrary pieces."""
    text = draw(markdown_texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
