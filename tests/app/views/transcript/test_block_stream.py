import pytest
from hypothesis import given, settings

from app.views.transcript.block_stream import LONGEST_RICH, BlockStream
from app.views.transcript.blocks import Block, Parser
from app.views.transcript.markdown import TABLE_ROWS, MarkdownParser
from app.views.transcript.plain_input import PlainInput
from app.views.transcript.safe_text import sanitize
from tests.app.views.transcript.scripts import chunked

PARSERS = (MarkdownParser(), PlainInput())


def streamed(parser: Parser, chunks: list[str]) -> list[Block]:
    stream, blocks = BlockStream(parser), list[Block]()
    for chunk in chunks:
        change = stream.append(chunk)
        blocks[change.unchanged :] = change.blocks
    return blocks


@pytest.mark.parametrize("parser", PARSERS, ids=["markdown", "plain_input"])
@given(chunks=chunked())
@settings(max_examples=400, deadline=None)
def test_any_chunking_gives_the_same_blocks(parser: Parser, chunks: list[str]) -> None:
    """Settled blocks equal the blocks of the whole text."""
    whole = [block for top in parser.top_blocks(sanitize("".join(chunks))) for block in top.blocks]
    assert streamed(parser, chunks) == whole


LONG_TABLE = "Before.\n\n| n | f |\n|--:|---|\n" + "".join(f"| {n} | $x_{n}$ |\n" for n in range(3 * TABLE_ROWS + 5))


@pytest.mark.parametrize(
    ("ending", "size"),
    [("", 3), ("\nAfter.\n\n", 5), ("> quote\n", 7), ("- item", 64), ("```\ncode", 17), ("\nAfter.", 5000)],
)
def test_a_long_table_has_the_same_parts_however_it_arrives(ending: str, size: int) -> None:
    """The first part has the header; the last one is followed by anything that ends a table."""
    text = LONG_TABLE + ending
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    parts = streamed(MarkdownParser(), chunks)
    assert parts == [block for top in MarkdownParser().top_blocks(text) for block in top.blocks]
    tables = [block for block in parts if block.kind == "table"]
    assert [len(block.rows) for block in tables] == [TABLE_ROWS + 1, TABLE_ROWS, TABLE_ROWS, 5]
    assert [block.continues for block in tables] == [False, True, True, True]


def test_complete_parts_of_a_table_are_not_parsed_again() -> None:
    """The cost of a row does not grow with the table."""
    lengths = []

    class Counting(MarkdownParser):
        def top_blocks(self, text: str) -> list:  # type: ignore[type-arg]
            lengths.append(text.count("\n"))
            return super().top_blocks(text)

    streamed(Counting(), LONG_TABLE.splitlines(keepends=True))
    assert max(lengths) <= TABLE_ROWS + 6


def test_settled_blocks_are_not_parsed_again() -> None:
    """The cost of a token does not grow with the answer."""
    lengths = []

    class Counting(MarkdownParser):
        def top_blocks(self, text: str) -> list:  # type: ignore[type-arg]
            lengths.append(len(text))
            return super().top_blocks(text)

    streamed(Counting(), ["A paragraph of text.\n\n"] * 200)
    assert max(lengths) < 100


def test_text_beyond_the_limit_is_plain() -> None:
    """The rest of a very long message is one plain block, which is cheap to lay out."""
    text = "A line of text.\n\n" * (LONGEST_RICH // 10)
    *rich, rest = streamed(MarkdownParser(), [text])
    assert {block.kind for block in rich} == {"paragraph"}
    assert rest.kind == "plain"
    assert len(rest.text) + len(rich) * len("A line of text.\n\n") == len(text)
    assert streamed(MarkdownParser(), [text[:1000], text[1000:150_000], text[150_000:]]) == [*rich, rest]
